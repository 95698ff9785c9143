#!lua flags=allow-oom
-- ARGV job, unit, fence, n (counts the publications of the lease from 1), number of the finished
--      stage, members of the event and of the document as JSON objects
-- Returns accepted | cancelled | lost

local id, unit = ARGV[1], ARGV[2]
local n, stage = tonumber(ARGV[4]), tonumber(ARGV[5])
local job, lease = hold(id, unit, ARGV[3])
if not lease then
  tally('lost', 1)
  return 'lost'
end
if stage < 1 or stage > STAGES then return misuse('no such stage') end
local reply = is_ending(job) and 'cancelled' or 'accepted'
if n <= lease.n then return reply end
-- A publication that was acknowledged is unknown: a replica that was behind has taken over, or a
-- power cut took the end of the log.
if n > lease.n + 1 and tonumber(lease.fence) > get(job, 'born') then begin_history_anew(job) end

-- Stage counters tell how many documents have come at least so far.
for passed = lease.stage + 1, stage do add(job, 's' .. passed, 1) end
local reached = math.max(lease.stage, stage)
add(job, 'partial', (reached - lease.stage) * STAGE_PERCENT)
lease.stage, lease.n, lease.document = reached, n, '{' .. ARGV[7] .. '}'
redis.call('HSET', key('lease', id), unit, lease.fence
  .. lease_rest(lease.worker, lease.attempt, reached, n, lease.charged, lease.document))

-- Only stages of large jobs are thinned; the counters are exact all the same.
local function is_thinned()
  if get(job, 'total') <= THIN_ABOVE then return false end
  local second = math.floor(NOW / 1000)
  if get(job, 'thin_second') ~= second then
    put(job, 'thin_second', second)
    put(job, 'thin_count', 0)
  end
  add(job, 'thin_count', 1)
  return get(job, 'thin_count') > STAGE_EVENTS_PER_SECOND
end

if is_thinned() then
  measure_progress(job)
else
  emit_stage(job, lease, ARGV[6], ARGV[7])
end
save(job)
return reply

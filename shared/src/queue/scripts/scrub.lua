#!lua flags=allow-oom
-- ARGV place in the order of open jobs to go on at (0 begins a round), lease ms, ms between rounds
-- Returns the place to go on at (0 = the round is over), repairs made
--
-- Every script keeps these true; a round finds out whether one of them, a lost write after a
-- failover or a hand in the data broke them: a job counts as many units in flight as it has
-- leases, every lease has an expiry, and a job with something claimable is in `ready`.

local place_in_order, lease_ms, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local JOBS_A_CALL, LEASES_A_CALL = 8, 512
if place_in_order == 0 and period > 0
  and not redis.call('SET', P .. 'scrubbed', NOW, 'NX', 'PX', period) then
  return { 0, 0 }
end

local open, seen = {}, 0
for _, state in ipairs(OPEN_STATES) do
  local size = redis.call('ZCARD', key('jobs', state))
  local from = math.max(0, place_in_order - seen)
  if from < size and #open < JOBS_A_CALL then
    local last = from + JOBS_A_CALL - #open - 1
    for _, id in ipairs(redis.call('ZRANGE', key('jobs', state), from, last)) do
      open[#open + 1] = id
    end
  end
  seen = seen + size
end

local repairs = 0
local function scrub(job)
  local id, found = job.id, 0
  local leases = redis.call('HLEN', key('lease', id))
  if leases ~= get(job, 'inflight') then
    put(job, 'inflight', leases)
    found = found + 1
  end
  -- More than this is only counted: a script must stay short.
  if leases <= LEASES_A_CALL then
    for _, unit in ipairs(redis.call('HKEYS', key('lease', id))) do
      local member = id .. ':' .. unit
      if redis.call('ZADD', P .. 'exp', 'NX', NOW + lease_ms, member) > 0 then
        found = found + 1
      end
    end
  end
  local was_ready = redis.call('ZSCORE', P .. 'ready', id)
  local was_due = redis.call('ZSCORE', P .. 'due', id)
  place(job)
  local is_ready = redis.call('ZSCORE', P .. 'ready', id)
  local is_due = redis.call('ZSCORE', P .. 'due', id)
  -- Time alone moves a job from `due` to `ready`.
  local moved = was_due and is_ready
  if not moved and ((was_ready and 1) ~= (is_ready and 1) or (was_due and 1) ~= (is_due and 1)) then
    found = found + 1
  end
  save(job)
  repairs = repairs + found
end

for _, id in ipairs(open) do
  local job = open_job(id)
  if job then
    scrub(job)
  else
    for _, state in ipairs(OPEN_STATES) do redis.call('ZREM', key('jobs', state), id) end
    redis.call('ZREM', P .. 'jobs', id)
    repairs = repairs + 1
  end
end
tally('repaired', repairs)
local following = place_in_order + #open
return { following < seen and #open > 0 and following or 0, repairs }

#!lua flags=allow-oom
-- ARGV delay ms per crash after the first, most crashes
-- Returns leases that had expired, jobs and workers that were forgotten, whether more wait

local delay, max_crashes = tonumber(ARGV[1]), tonumber(ARGV[2])
-- A lease costs 30 microseconds, 70 on a slow machine, and nobody else is served meanwhile: the
-- caller comes again.
local BATCH = 16
local LOST_WORKERS = 'обработчик аварийно завершился ' .. text(max_crashes) .. ' раза подряд'

local function lose(job, lease)
  local unit = lease.unit
  local errors, crashes = attempts(job.id, unit)
  crashes = crashes + 1
  drop(job, lease)
  if unit == FINISH and crashes >= max_crashes then
    put(job, 'error', LOST_WORKERS)
    return finalise(job, 'failed')
  elseif unit == LIST and is_ending(job) then
    return
  elseif unit == LIST and crashes >= max_crashes then
    return stop_unlisted(job, LOST_WORKERS)
  elseif unit ~= FINISH and is_ending(job) then
    return count_cancelled(job, lease)
  end
  set_attempts(job.id, unit, errors, crashes)
  -- The first time mostly the machine is to blame, and after the last somebody only records the
  -- loss: no need to wait.
  requeue(job, lease, crashes >= max_crashes and 0 or delay * (crashes - 1))
end

local expired = redis.call('ZRANGEBYSCORE', P .. 'exp', '-inf', NOW, 'LIMIT', 0, BATCH)
tally('expired', #expired)
for _, member in ipairs(expired) do
  local id, unit = string.match(member, '^(.*):(-?%d+)$')
  local job, lease = open_job(id), lease_of(id, unit)
  if job and lease then
    lose(job, lease)
    place(job)
    save(job)
  else
    redis.call('ZREM', P .. 'exp', member)
  end
end

-- Idle workers wait for a marker and do not look by themselves.
local promoted = promote(BATCH)

local forgotten = redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', NOW)
local old = redis.call('ZRANGEBYSCORE', P .. 'hist', '-inf', NOW, 'LIMIT', 0, BATCH)
for _, id in ipairs(old) do
  redis.call('ZREM', P .. 'hist', id)
  redis.call('ZREM', P .. 'jobs', id)
  for _, state in ipairs(FINAL_STATES) do redis.call('ZREM', key('jobs', state), id) end
  redis.call('UNLINK', key('job', id), key('ev', id), key('answer', id))
end
local more = #expired == BATCH or promoted == BATCH or #old == BATCH
return { #expired, forgotten + #old, more and 1 or 0 }

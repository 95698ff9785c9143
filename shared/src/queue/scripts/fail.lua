#!lua flags=allow-oom
-- ARGV job, unit, fence, most errors, first back-off ms, longest back-off ms, jitter 0..1,
--      shortest delay ms, reason for people, measured cost ms, members of the event and of
--      the document as JSON objects ('' for listing and finishing)
-- Returns retry <delay ms> | dead | cancelled | lost; a repetition gets the first answer, and
--      already when the unit was given up by another call

local id, unit, fence = ARGV[1], ARGV[2], ARGV[3]
local max_errors, reason = tonumber(ARGV[4]), ARGV[9]
local job, lease = hold(id, unit, fence)
if not lease then
  local before = answered(id, fence)
  tally(before and 'already' or 'lost', 1)
  return before == 'counted' and 'already' or before or 'lost'
end
local errors, crashes = attempts(id, unit)
errors = errors + 1

local function retry()
  local longest = math.min(tonumber(ARGV[6]), tonumber(ARGV[5]) * 2 ^ (errors - 1))
  local delay = math.max(tonumber(ARGV[8]), math.floor(longest * tonumber(ARGV[7])))
  set_attempts(id, unit, errors, crashes)
  requeue(job, lease, delay)
  return 'retry ' .. text(delay)
end

local reply
drop(job, lease)
if unit == FINISH then
  if errors < max_errors then
    reply = retry()
  else
    put(job, 'error', reason)
    finalise(job, 'failed')
    reply = 'dead'
  end
elseif unit == LIST then
  if is_ending(job) then
    reply = 'cancelled'
  elseif errors < max_errors then
    reply = retry()
  else
    stop_unlisted(job, reason)
    reply = 'dead'
  end
else
  charge(job, lease.charged, tonumber(ARGV[10]), 1)
  if is_ending(job) then
    count_cancelled(job, lease)
    reply = 'cancelled'
  elseif errors < max_errors then
    reply = retry()
  else
    count_once(job, lease, 'failed', ARGV[11], ARGV[12])
    enforce_budget(job)
    reply = 'dead'
  end
end
tally(reply == 'dead' and 'dead' or 'retried', reply == 'cancelled' and 0 or 1)
place(job)
save(job)
return answer(job, lease, reply)

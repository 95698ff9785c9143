#!lua flags=no-writes
-- Returns jobs with something claimable, jobs in back-off, leases, ms that the oldest queued job
-- has waited, seconds of virtual time between the first and the last ready job, states with their
-- jobs, counters with their values

local jobs = {}
for _, states in ipairs({ OPEN_STATES, FINAL_STATES }) do
  for _, state in ipairs(states) do
    jobs[#jobs + 1] = state
    jobs[#jobs + 1] = redis.call('ZCARD', key('jobs', state))
  end
end
local function score(name, place)
  return tonumber(redis.call('ZRANGE', name, place, place, 'WITHSCORES')[2])
end
-- The order of submission is its time in microseconds.
local oldest = score(key('jobs', 'queued'), 0)
local waited = oldest and math.max(0, NOW - math.floor(oldest / 1000)) or 0
local first, last = score(P .. 'ready', 0), score(P .. 'ready', -1)
return { redis.call('ZCARD', P .. 'ready'), redis.call('ZCARD', P .. 'due'),
  redis.call('ZCOUNT', P .. 'exp', '-inf', '(+inf'), waited, text(first and last - first or 0), jobs,
  redis.call('HGETALL', P .. 'stats') }

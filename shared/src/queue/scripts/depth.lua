#!lua flags=no-writes
-- Returns jobs with something claimable, jobs in back-off, leases, and states with their jobs

local jobs = {}
for _, states in ipairs({ OPEN_STATES, FINAL_STATES }) do
  for _, state in ipairs(states) do
    jobs[#jobs + 1] = state
    jobs[#jobs + 1] = redis.call('ZCARD', key('jobs', state))
  end
end
return { redis.call('ZCARD', P .. 'ready'), redis.call('ZCARD', P .. 'due'),
  redis.call('ZCARD', P .. 'exp'), jobs }

#!lua flags=no-writes
-- ARGV status or '', how many (<= 32), cursor ('+inf' or the one returned)
-- Returns jobs as in view.lua, newest first, and the cursor of the next page or ''

local index = ARGV[1] == '' and P .. 'jobs' or key('jobs', ARGV[1])
local batch = math.min(32, tonumber(ARGV[2]))
local from = ARGV[3] == '+inf' and '+inf' or '(' .. ARGV[3]
local found = redis.call('ZREVRANGEBYSCORE', index, from, '-inf', 'WITHSCORES', 'LIMIT', 0, batch)
local jobs, cursor = {}, ''
for i = 1, #found, 2 do
  local job = open_job(found[i])
  if job then jobs[#jobs + 1] = view(job) end
  cursor = found[i + 1]
end
return { jobs, #found == 2 * batch and cursor or '' }

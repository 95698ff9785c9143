#!lua flags=no-writes
-- ARGV job, how many of the last events
-- Returns fields and values of the job, `log_tail` = those events as a JSON array, oldest first;
--      nothing when there is no such job

local job = open_job(ARGV[1])
if not job then return {} end
local flat = view(job)
local tail = tonumber(ARGV[2])
if tail > 0 then
  local bodies = {}
  local entries = redis.call('XREVRANGE', key('ev', job.id), '+', '-', 'COUNT', tail)
  for i = #entries, 1, -1 do bodies[#bodies + 1] = entries[i][2][2] end
  flat[#flat + 1] = 'log_tail'
  flat[#flat + 1] = '[' .. table.concat(bodies, ',') .. ']'
end
return flat

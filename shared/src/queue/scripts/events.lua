#!lua flags=no-writes
-- ARGV job, the last number that the caller has, most events (<= 256)
-- Returns epoch, last number, oldest number kept, 1 when the job has ended, stream entries;
--      nil when there is no such job

local id = ARGV[1]
local job = redis.call('HMGET', key('job', id), 'epoch', 'seq', 'state')
if not job[1] then return nil end
local entries = redis.call('XRANGE', key('ev', id), '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])
local first = redis.call('XRANGE', key('ev', id), '-', '+', 'COUNT', 1)[1]
local oldest = first and string.match(first[1], '^(%d+)') or text(tonumber(job[2]) + 1)
return { job[1], job[2], oldest, IS_FINAL[job[3]] and 1 or 0, entries }

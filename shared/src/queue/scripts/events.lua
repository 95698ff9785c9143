#!lua flags=no-writes
-- ARGV job, the last number that the caller has, most events (<= 256), how many of the newest ones
--      the caller wants in any case
-- Returns epoch, last number, oldest number kept, 1 when the job has ended, stream entries;
--      nil when there is no such job

local id = ARGV[1]
local job = redis.call('HMGET', key('job', id), 'epoch', 'seq', 'state')
if not job[1] then return nil end
local last = tonumber(job[2])
local after = math.min(tonumber(ARGV[2]), math.max(last - tonumber(ARGV[4]), 0))
local entries = redis.call('XRANGE', key('ev', id), '(' .. text(after) .. '-0', '+', 'COUNT', ARGV[3])
local function number_of(entry) return tonumber(string.match(entry[1], '^(%d+)')) end
local oldest = 1
if entries[1] and number_of(entries[1]) > after + 1 then
  -- Only beginnings are cut off.
  oldest = number_of(entries[1])
elseif not entries[1] and after < last then
  oldest = last + 1
elseif last > EVENTS_KEPT then
  local first = redis.call('XRANGE', key('ev', id), '-', '+', 'COUNT', 1)[1]
  oldest = first and number_of(first) or last + 1
end
return { job[1], job[2], text(oldest), IS_FINAL[job[3]] and 1 or 0, entries }

#!lua flags=no-writes
-- ARGV job
-- Returns unit, last finished stage, attempt, worker, document as JSON or '' for each lease

local id, running = ARGV[1], {}
for _, unit in ipairs(redis.call('HKEYS', key('lease', id))) do
  local lease = lease_of(id, unit)
  running[#running + 1] = { unit, lease.stage, lease.attempt, lease.worker, lease.document }
end
return running

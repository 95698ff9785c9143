#!lua flags=no-writes
-- ARGV most jobs
-- Returns job, state, collection, weight, virtual time, units in flight, ended, total, order of
-- submission for each open job, running ones first, the oldest first

local most, rows = tonumber(ARGV[1]), {}
for _, state in ipairs({ 'running', 'cancelling', 'queued', 'paused' }) do
  local left = most - #rows
  if left <= 0 then break end
  for _, id in ipairs(redis.call('ZRANGE', key('jobs', state), 0, left - 1)) do
    local job = open_job(id)
    if job then
      rows[#rows + 1] = { id, state, job.fields.collection, text(get(job, 'weight')),
        text(get(job, 'vt')), text(get(job, 'inflight')), text(ended(job)),
        text(get(job, 'total')), job.fields.order }
    end
  end
end
return rows

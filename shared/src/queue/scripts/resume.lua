#!lua flags=allow-oom
-- ARGV job
-- Returns the job's status afterwards

local job = open_job(ARGV[1])
if not job then return no_such_job() end
if job.fields.state ~= 'paused' then return job.fields.state end

if job.fields.started then
  add(job, 'idle', NOW - get(job, 'paused_at'))
  set_state(job, 'running')
else
  set_state(job, 'queued')
end
emit_job(job, 'Задача продолжена')
redis.call('PUBLISH', CHANNELS .. 'ctl', 'resume ' .. job.id)
place(job)
save(job)
return job.fields.state

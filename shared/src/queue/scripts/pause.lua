#!lua flags=allow-oom
-- ARGV job
-- Returns the job's status afterwards

local job = open_job(ARGV[1])
if not job then return no_such_job() end
local state = job.fields.state
if state ~= 'queued' and state ~= 'running' or is_ending(job) or job.fields.verdict ~= '' then
  return state
end

set_state(job, 'paused')
put(job, 'paused_at', NOW)
emit_job(job, 'Задача приостановлена')
redis.call('PUBLISH', CHANNELS .. 'ctl', 'pause ' .. job.id)
place(job)
save(job)
return 'paused'

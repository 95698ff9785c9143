#!lua flags=allow-oom
-- ARGV job
-- Returns the job's status afterwards
--
-- A job that has a verdict already only waits for its report; it is too late to cancel it.

local job = open_job(ARGV[1])
if not job then return no_such_job() end
if is_ending(job) or job.fields.verdict ~= '' then return job.fields.state end

set_state(job, 'cancelling')
stop(job, 'cancelled')
emit_job(job, 'Задача отменяется')
place(job)
save(job)
return job.fields.state

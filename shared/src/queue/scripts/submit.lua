#!lua
-- ARGV job, request hash, collection, weight, force 0|1, retry_of or '', created ms,
--      most units at once (0 = no limit), most open jobs, retention ms, most failed documents
--      ('' = no limit), traceparent or ''
-- Returns created | exists (same request) | reused (another request) | full
--
-- The only script that a full Redis refuses; the others drain it.

local id, hash = ARGV[1], ARGV[2]
-- A job that an older version wrote in another form is unknown: it is begun anew.
local existing = redis.call('HMGET', key('job', id), 'request_hash', 'packed')
if existing[2] then return existing[1] == hash and 'exists' or 'reused' end
if existing[1] then
  redis.call('UNLINK', key('job', id))
  for _, state in ipairs(OPEN_STATES) do redis.call('ZREM', key('jobs', state), id) end
end
local open = 0
for _, state in ipairs(OPEN_STATES) do open = open + redis.call('ZCARD', key('jobs', state)) end
if open >= tonumber(ARGV[9]) then return 'full' end

-- Unique and growing, so it orders the jobs.
local order = next_fence()
local job = { id = id, fields = {}, changed = {} }
for name, value in pairs({
  collection = ARGV[3], weight = tonumber(ARGV[4]), force = ARGV[5],
  retry_of = ARGV[6], created = tonumber(ARGV[7]), max_inflight = tonumber(ARGV[8]),
  keep = tonumber(ARGV[10]), max_failed = ARGV[11], traceparent = ARGV[12],
  order = text(order), epoch = epoch_of(order), state = 'queued',
  -- cancelled | failed once the job ends early, and the status it will end in once decided
  ending = '', verdict = '',
  -- documents listed, and whether that is all; saved position of the listing
  total = 0, sealed = 0, position = '',
  seq = 0, vt = 0, inflight = 0, cursor = 0, progress = 0, partial = 0,
}) do put(job, name, value) end

redis.call('UNLINK', key('ev', id), key('lease', id), key('retry', id), key('att', id),
  key('done', id), key('answer', id))
redis.call('ZREM', P .. 'hist', id)
redis.call('ZADD', P .. 'jobs', text(order), id)
set_state(job, 'queued')
redis.call('ZADD', key('retry', id), NOW, LIST)
emit_job(job, 'Задача поставлена в очередь')
place(job)
save(job)
redis.call('HSET', key('job', id), 'request_hash', hash)
keep_marks()
return 'created'

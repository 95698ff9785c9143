-- The functions that the scripts share. KEYS[1] is the prefix of every key, with the hash tag.
--
--   job:<id>     HASH    the job: see submit.lua
--   lease:<id>   HASH    unit -> fence|worker|attempt|stage|n|charged ms|document as JSON
--   exp          ZSET    <id>:<unit> -> expiry of the lease in ms
--   retry:<id>   ZSET    unit -> due ms: units that wait to be claimed (again), -2 listing,
--                        -1 finishing; documents that were never claimed are cursor .. total-1
--   att:<id>     HASH    unit -> errors|crashes, only for units that had any
--   done:<id>    BITMAP  one bit per document that has ended
--   answer:<id>  LIST    "<fence> <answer>" of the last units given up, for repeated calls
--   ev:<id>      STREAM  events, entry id <seq>-0, field d = JSON
--   ready        ZSET    job -> virtual time: jobs with something claimable now
--   due          ZSET    job -> earliest due ms: jobs that only wait for a back-off
--   jobs         ZSET    job -> order of submission; jobs:<state> the same for each state
--   hist         ZSET    ended job -> when it is forgotten, ms
--   workers      ZSET    worker -> expiry ms;  w:<worker> HASH last claim, host, version, slots
--   fence, clock STRING  last fence given out; virtual time of the job served last
--   wake         LIST    markers for waiting workers
--   ch:<id>, ch:all, ctl CHANNELS
--
-- A script reads and validates first, changes the job as a table, and writes last (`save`).

local P = KEYS[1]
local LIST, FINISH = '-2', '-1'
local STAGES, STAGE_PERCENT = 14, 7
local THIN_ABOVE, STAGE_EVENTS_PER_SECOND = 1000, 20
local EVENTS_KEPT, ANSWERS_KEPT, ANSWERS_KEPT_MS = 20000, 256, 600000
local OPEN_STATES = { 'queued', 'running', 'paused', 'cancelling' }
local FINAL_STATES = { 'completed', 'completed_with_errors', 'failed', 'cancelled' }
local OUTCOMES = { 'completed', 'completed_with_warnings', 'skipped_duplicate', 'too_short',
  'needs_attention', 'failed', 'cancelled' }

local time = redis.call('TIME')
local NOW_US = tonumber(time[1]) * 1000000 + tonumber(time[2])
local NOW = math.floor(NOW_US / 1000)

local function key(name, id) return P .. name .. ':' .. id end

local function contains(list, value)
  for _, item in ipairs(list) do if item == value then return true end end
  return false
end

-- Never tostring(): it writes 1e+15.
local function text(value)
  if type(value) ~= 'number' then return value end
  if value == math.floor(value) then return string.format('%.0f', value) end
  return string.format('%.17g', value)
end

local function tenths(value)
  if value == math.floor(value) then return string.format('%.0f', value) end
  return string.format('%.1f', value)
end

-- RFC 3339 of NOW (days since 1970 to a date of the proleptic Gregorian calendar).
local function timestamp()
  local floor = math.floor
  local days = floor(NOW / 86400000)
  local ms = NOW - days * 86400000
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local day = doy - floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    floor(ms / 3600000), floor(ms / 60000) % 60, floor(ms / 1000) % 60, ms % 1000)
end

-- The job as a table, or nil.

local function open_job(id)
  local flat = redis.call('HGETALL', key('job', id))
  if #flat == 0 then return nil end
  local job = { id = id, fields = {}, changed = {} }
  for i = 1, #flat, 2 do job.fields[flat[i]] = flat[i + 1] end
  return job
end

local function get(job, name) return tonumber(job.fields[name]) or 0 end

local function put(job, name, value)
  job.fields[name] = value
  job.changed[name] = true
end

local function add(job, name, by) put(job, name, get(job, name) + by) end

local function save(job)
  local flat = {}
  for name in pairs(job.changed) do
    flat[#flat + 1] = name
    flat[#flat + 1] = text(job.fields[name])
  end
  job.changed = {}
  if #flat > 0 then redis.call('HSET', key('job', job.id), unpack(flat)) end
end

local function is_final(job) return contains(FINAL_STATES, job.fields.state) end

local function is_ending(job) return job.fields.ending ~= '' end

local function set_state(job, state)
  redis.call('ZREM', key('jobs', job.fields.state), job.id)
  redis.call('ZADD', key('jobs', state), job.fields.order, job.id)
  put(job, 'state', state)
end

-- Counters.

local function done(job)
  return get(job, 'completed') + get(job, 'completed_with_warnings')
    + get(job, 'needs_attention') + get(job, 'too_short')
end

local function ended(job)
  return done(job) + get(job, 'skipped_duplicate') + get(job, 'failed') + get(job, 'cancelled')
end

-- Percent to one decimal. Before the seal the share is unknown and stays; it never falls, even
-- when a document starts again; what was cancelled is no progress.
local function measure_progress(job)
  local total = get(job, 'total')
  if get(job, 'sealed') == 0 or total == 0 then return end
  local percent = ((ended(job) - get(job, 'cancelled')) * 100 + get(job, 'partial')) / total
  percent = math.floor(percent * 10) / 10
  if percent > get(job, 'progress') then put(job, 'progress', percent) end
end

-- Seconds left by the mean time per document ended so far, or nil while there is nothing to
-- measure. Pauses do not count.
local function eta(job)
  local count = ended(job)
  if job.fields.state ~= 'running' or get(job, 'sealed') == 0 or count == 0 then return nil end
  local elapsed = NOW - get(job, 'started') - get(job, 'idle')
  return math.max(0, elapsed / count * (get(job, 'total') - count) / 1000)
end

-- Events.

local function emit(job, kind, fields, document)
  add(job, 'seq', 1)
  measure_progress(job)
  local seq = text(get(job, 'seq'))
  local seconds = eta(job)
  local body = table.concat({
    '{"type":"', kind, '","job_id":"', job.id, '","epoch":"', job.fields.epoch, '","seq":', seq,
    ',"ts":"', timestamp(), '",', string.sub(fields, 2, -2), document or '',
    ',"job":{"status":"', job.fields.state,
    '","done":', text(done(job)),
    ',"failed":', text(get(job, 'failed')),
    ',"skipped":', text(get(job, 'skipped_duplicate')),
    ',"total":', text(get(job, 'total')),
    ',"progress":', tenths(get(job, 'progress')),
    ',"eta_s":', seconds and string.format('%.1f', seconds) or 'null', '}}' })
  redis.call('XADD', key('ev', job.id), 'MAXLEN', '~', EVENTS_KEPT, seq .. '-0', 'd', body)
  redis.call('PUBLISH', key('ch', job.id), body)
  redis.call('PUBLISH', P .. 'ch:all', body)
end

local function emit_job(job, log)
  measure_progress(job)
  emit(job, 'job', '{"stage":"job","log":' .. cjson.encode(log)
    .. ',"progress":' .. tenths(get(job, 'progress')) .. '}')
end

local function document_part(job, lease, document)
  if document == '' then return '' end
  return table.concat({ ',"document":', string.sub(document, 1, -2), ',"index":', lease.unit,
    ',"total":', text(get(job, 'total')), ',"attempt":', lease.attempt, '}' })
end

-- The event of a document that has ended; its stage is the last one that it finished.
local function emit_document(job, lease, fields, document)
  local stage = table.concat({ '{"stage":"', lease.stage, '/', STAGES, '","progress":',
    lease.stage * STAGE_PERCENT, ',' })
  emit(job, 'document', stage .. string.sub(fields, 2), document_part(job, lease, document))
end

-- Leases.

local function next_fence()
  local fence = math.max((tonumber(redis.call('GET', P .. 'fence')) or 0) + 1, NOW_US)
  redis.call('SET', P .. 'fence', text(fence))
  return fence
end

local function lease_of(id, unit)
  local stored = redis.call('HGET', key('lease', id), unit)
  if not stored then return nil end
  local fence, worker, attempt, stage, n, charged, document =
    string.match(stored, '^(%d+)|([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)|(.*)$')
  return { unit = unit, fence = fence, worker = worker, attempt = tonumber(attempt),
    stage = tonumber(stage), n = tonumber(n), charged = tonumber(charged), document = document }
end

local function write_lease(id, lease)
  redis.call('HSET', key('lease', id), lease.unit, table.concat({ lease.fence, lease.worker,
    text(lease.attempt), text(lease.stage), text(lease.n), text(lease.charged), lease.document },
    '|'))
end

-- The job and, if the caller still holds the unit, its lease.
local function hold(id, unit, fence)
  local job = open_job(id)
  if not job then return nil, nil end
  local lease = lease_of(id, unit)
  if lease and lease.fence == fence then return job, lease end
  return job, nil
end

-- What an earlier call with this fence was answered, or nil.
local function answered(id, fence)
  for _, entry in ipairs(redis.call('LRANGE', key('answer', id), 0, -1)) do
    local of, answer = string.match(entry, '^(%d+) (.*)$')
    if of == fence then return answer end
  end
  return nil
end

local function answer(job, lease, reply)
  redis.call('LPUSH', key('answer', job.id), lease.fence .. ' ' .. reply)
  redis.call('LTRIM', key('answer', job.id), 0, ANSWERS_KEPT - 1)
  redis.call('PEXPIRE', key('answer', job.id), ANSWERS_KEPT_MS)
  return reply
end

-- The reply of a call whose lease is not held: a repetition or a loser.
local function not_held(id, fence) return answered(id, fence) and 'already' or 'lost' end

local function drop(job, lease)
  redis.call('HDEL', key('lease', job.id), lease.unit)
  redis.call('ZREM', P .. 'exp', job.id .. ':' .. lease.unit)
  add(job, 'inflight', -1)
  add(job, 'partial', -lease.stage * STAGE_PERCENT)
end

local function attempts(id, unit)
  local stored = redis.call('HGET', key('att', id), unit)
  if not stored then return 0, 0 end
  local errors, crashes = string.match(stored, '^(%d+)|(%d+)$')
  return tonumber(errors), tonumber(crashes)
end

local function set_attempts(id, unit, errors, crashes)
  redis.call('HSET', key('att', id), unit, errors .. '|' .. crashes)
end

-- Where a job stands in the queue.

local function wake()
  local workers = math.max(1, redis.call('ZCARD', P .. 'workers'))
  if redis.call('LLEN', P .. 'wake') < workers then redis.call('LPUSH', P .. 'wake', 1) end
end

local function verdict(job)
  if is_ending(job) then return job.fields.ending end
  return get(job, 'failed') > 0 and 'completed_with_errors' or 'completed'
end

-- Puts the job into `ready`, `due` or neither, and makes its finishing unit claimable when
-- nothing else is left. Every script calls this after it has changed a job.
local function place(job)
  local id = job.id
  if not is_final(job) and job.fields.verdict == '' and get(job, 'sealed') == 1
    and get(job, 'inflight') == 0 and ended(job) == get(job, 'total') then
    put(job, 'verdict', verdict(job))
    redis.call('ZADD', key('retry', id), NOW, FINISH)
    if job.fields.state == 'paused' then set_state(job, 'running') end
  end
  local claimable, next_due = false, nil
  local limit = get(job, 'max_inflight')
  if not is_final(job) and job.fields.state ~= 'paused'
    and (limit == 0 or get(job, 'inflight') < limit) then
    local first = redis.call('ZRANGE', key('retry', id), 0, 0, 'WITHSCORES')
    claimable = get(job, 'cursor') < get(job, 'total')
    if first[1] then
      if tonumber(first[2]) <= NOW then claimable = true else next_due = first[2] end
    end
  end
  if claimable then
    if not redis.call('ZSCORE', P .. 'ready', id) then
      -- Whoever was away cannot have saved up credit.
      put(job, 'vt', math.max(get(job, 'vt'), tonumber(redis.call('GET', P .. 'clock')) or 0))
      wake()
    end
    redis.call('ZADD', P .. 'ready', text(get(job, 'vt')), id)
  else
    redis.call('ZREM', P .. 'ready', id)
  end
  if next_due and not claimable then
    redis.call('ZADD', P .. 'due', next_due, id)
  else
    redis.call('ZREM', P .. 'due', id)
  end
end

-- Replaces the estimate that a job was charged for a document by what was measured.
local function charge(job, lease, cost_ms)
  add(job, 'cost_ms', cost_ms)
  add(job, 'cost_n', 1)
  local vt = get(job, 'vt') + (cost_ms - lease.charged) / 1000 / get(job, 'weight')
  put(job, 'vt', math.max(0, vt))
end

-- Makes a dropped unit claimable again after a delay. Its stages count anew.
local function requeue(job, lease, delay)
  for n = 1, lease.stage do add(job, 's' .. n, -1) end
  redis.call('ZADD', key('retry', job.id), NOW + delay, lease.unit)
  if delay == 0 then wake() end
end

-- Counts a dropped document.
local function count(job, lease, outcome)
  if redis.call('SETBIT', key('done', job.id), lease.unit, 1) == 0 then add(job, outcome, 1) end
end

-- Counts a dropped document of a job that is ending.
local function count_cancelled(job, lease)
  count(job, lease, 'cancelled')
  emit_document(job, lease,
    '{"outcome":"cancelled","log":"Обработка документа прервана: задача остановлена"}',
    lease.document)
end

-- Lets a job end early: what nobody holds is counted as cancelled in constant time.
local function stop(job, ending)
  put(job, 'ending', ending)
  local waiting = redis.call('ZCARD', key('retry', job.id))
  if redis.call('ZSCORE', key('retry', job.id), LIST) then waiting = waiting - 1 end
  add(job, 'cancelled', waiting + get(job, 'total') - get(job, 'cursor'))
  put(job, 'cursor', get(job, 'total'))
  put(job, 'sealed', 1)
  redis.call('UNLINK', key('retry', job.id), key('att', job.id))
  redis.call('PUBLISH', P .. 'ctl', 'cancel ' .. job.id)
end

-- Lets a job end as failed.
local function stop_failed(job, reason)
  put(job, 'error', reason)
  stop(job, 'failed')
  emit_job(job, 'Документы не удалось перечислить: ' .. reason)
end

-- The counts that the last event tells people.
local function summary(job)
  local parts = { 'документов ' .. text(get(job, 'total')) }
  local function part(label, number)
    if number > 0 then parts[#parts + 1] = label .. ' ' .. text(number) end
  end
  part('обучено', get(job, 'completed') + get(job, 'completed_with_warnings'))
  part('дубликатов', get(job, 'skipped_duplicate'))
  part('слишком коротких', get(job, 'too_short'))
  part('требуют внимания', get(job, 'needs_attention'))
  part('с ошибкой', get(job, 'failed'))
  return table.concat(parts, ', ')
end

local function final_log(job)
  local state, total = job.fields.state, get(job, 'total')
  if state == 'cancelled' then return 'Ошибка во время обучения: задача отменена' end
  if state == 'failed' then return 'Ошибка во время обучения: ' .. (job.fields.error or '') end
  if total > 0 and get(job, 'failed') == total then
    return 'Обработка завершена, ни один документ не обучен: ' .. summary(job)
  end
  local log = '🎉 Обработка документа завершена успешно'
  if total == 1 then return log end
  return log .. ': ' .. summary(job)
end

-- Ends the job: the one final event, and nothing after it.
local function finalise(job, state)
  local id = job.id
  local good = state == 'completed' or state == 'completed_with_errors'
  set_state(job, state)
  put(job, 'finished', NOW)
  if good then put(job, 'progress', 100) end
  emit(job, 'job', table.concat({ '{"stage":"', good and 'complete' or 'error', '","log":',
    cjson.encode(final_log(job)), ',"progress":', good and '100' or '0', ',"final":true}' }))
  place(job)
  save(job)
  redis.call('UNLINK', key('lease', id), key('retry', id), key('att', id), key('done', id))
  redis.call('PEXPIRE', key('job', id), job.fields.keep)
  redis.call('PEXPIRE', key('ev', id), job.fields.keep)
  redis.call('ZADD', P .. 'hist', NOW + get(job, 'keep'), id)
end

-- Workers.

local function see_worker(worker, lease_ms, host, version, slots)
  redis.call('ZADD', P .. 'workers', NOW + lease_ms, worker)
  redis.call('HSET', key('w', worker), 'host', host, 'version', version, 'slots', slots,
    'seen', NOW)
  redis.call('PEXPIRE', key('w', worker), math.max(60000, 10 * lease_ms))
end

local function misuse(reason) return redis.error_reply('TQ_MISUSE ' .. reason) end
local function no_such_job() return redis.error_reply('TQ_NO_SUCH_JOB no such job') end

-- A job for reading: what is stored and what is computed from it.
local function view(job)
  measure_progress(job)
  local flat = { 'id', job.id }
  for name, value in pairs(job.fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = name == 'progress' and tenths(tonumber(value)) or text(value)
  end
  local seconds = eta(job)
  if seconds then
    flat[#flat + 1] = 'eta_s'
    flat[#flat + 1] = string.format('%.1f', seconds)
  end
  if job.fields.state == 'queued' then
    local rank = redis.call('ZRANK', P .. 'ready', job.id)
    if rank then
      flat[#flat + 1] = 'queue_position'
      flat[#flat + 1] = text(rank)
    end
  end
  return flat
end

-- How units and jobs end.

-- Corrects what a job was charged: `cost_ms` in the place of the estimate `charged`.
local function recharge(job, charged, cost_ms)
  local fields = job.fields
  put(job, 'vt', math.max(0, fields.vt + (cost_ms - charged) / 1000 / fields.weight))
end

-- Replaces the estimates that a job was charged for documents by what was measured.
local function charge(job, charged, cost_ms, documents)
  add(job, 'cost_ms', cost_ms)
  add(job, 'cost_n', documents)
  recharge(job, charged, cost_ms)
end

-- Makes a dropped unit claimable again after a delay. Its stages count anew.
local function requeue(job, lease, delay)
  for n = 1, lease.stage do add(job, 's' .. n, -1) end
  redis.call('ZADD', key('retry', job.id), NOW + delay, lease.unit)
  if delay == 0 then wake() end
end

-- Notes that documents have ended; answers for each whether that was known (1) or not (0).
local function note_ended(job, units)
  local arguments = {}
  for n, unit in ipairs(units) do
    local at = 4 * n
    arguments[at - 3], arguments[at - 2], arguments[at - 1], arguments[at] = 'SET', 'u1', unit, '1'
  end
  return redis.call('BITFIELD', key('done', job.id), unpack(arguments))
end

-- Counts a document of whose end nobody knew, and tells of it.
local function count(job, unit, lease, outcome, fields, document)
  add_ended(job, outcome, 1)
  emit_document(job, unit, lease, fields, document)
end

-- The same for one document, once however often it was given out.
local function count_once(job, lease, outcome, fields, document)
  local unit = lease.unit
  if note_ended(job, { unit })[1] == 0 then count(job, unit, lease, outcome, fields, document) end
end

-- Counts a dropped document of a job that is ending.
local function count_cancelled(job, lease)
  count_once(job, lease, 'cancelled',
    '"outcome":"cancelled","log":"Обработка документа прервана: задача остановлена"',
    members(lease.document))
end

-- Lets a job end early: what nobody holds is counted as cancelled in constant time.
local function stop(job, ending)
  put(job, 'ending', ending)
  local waiting = redis.call('ZCARD', key('retry', job.id))
  if redis.call('ZSCORE', key('retry', job.id), LIST) then waiting = waiting - 1 end
  add_ended(job, 'cancelled', waiting + get(job, 'total') - get(job, 'cursor'))
  put(job, 'cursor', get(job, 'total'))
  put(job, 'sealed', 1)
  redis.call('UNLINK', key('retry', job.id), key('att', job.id))
  redis.call('PUBLISH', CHANNELS .. 'ctl', 'cancel ' .. job.id)
end

-- Lets a job end as failed.
local function stop_failed(job, reason, log)
  put(job, 'error', reason)
  stop(job, 'failed')
  emit_job(job, log)
end

local function stop_unlisted(job, reason)
  stop_failed(job, reason, 'Документы не удалось перечислить: ' .. reason)
end

-- The error budget, where the request named one: what nobody holds is not begun any more.
local function enforce_budget(job)
  local most = tonumber(job.fields.max_failed)
  if not most or is_ending(job) or get(job, 'failed') <= most then return end
  local reason = 'с ошибкой больше документов, чем допустимо: ' .. text(most)
  stop_failed(job, reason, 'Задача остановлена: ' .. reason)
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
  emit(job, '"type":"job",', '"stage":"' .. (good and 'complete' or 'error') .. '","log":'
    .. cjson.encode(final_log(job)) .. ',"progress":' .. (good and '100' or '0')
    .. ',"final":true')
  place(job)
  save(job)
  redis.call('UNLINK', key('lease', id), key('retry', id), key('att', id), key('done', id))
  redis.call('PEXPIRE', key('job', id), job.fields.keep)
  redis.call('PEXPIRE', key('ev', id), job.fields.keep)
  redis.call('ZADD', P .. 'hist', NOW + get(job, 'keep'), id)
end

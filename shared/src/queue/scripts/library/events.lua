-- Counters and events.

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
  redis.call('PUBLISH', CHANNELS .. 'ch:' .. job.id, body)
  redis.call('PUBLISH', CHANNELS .. 'ch:all', body)
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

-- Sessions. KEYS: the session, when it moves its new key. ARGV: what to do.
local op, key = ARGV[1], KEYS[1]
if op == 'destroy' then return redis.call('DEL', key) end
if op == 'rotate' then
  -- 1 if moved, 0 if the new key is taken, -1 if it has ended. Renaming keeps the
  -- time to live and, unlike writing anew, needs no memory.
  if redis.call('EXISTS', key) == 0 then return -1 end
  return redis.call('RENAMENX', key, KEYS[2])
end
if op == 'leave' then
  for _, each in ipairs(KEYS) do redis.call('SET', each, '', 'PX', ARGV[2]) end
  return #KEYS
end
if op == 'lingering' then
  -- Any other look would take down what has ended. -1 where it may not be asked.
  local there = 0
  for _, each in ipairs(KEYS) do
    local room = redis.pcall('MEMORY', 'USAGE', each)
    if type(room) == 'table' then return -1 end
    if room then there = there + 1 end
  end
  return there
end
if op == 'save' then
  -- 1 if saved, 0 on a conflict, -1 if it has ended. HSET leaves the time to live alone.
  local version = redis.call('HGET', key, 'version')
  if not version then return -1 end
  if version ~= ARGV[2] then return 0 end
  redis.call('HSET', key, 'data', ARGV[3], 'version', tonumber(version) + 1)
  return 1
end
-- The server's clock decides when the end has come; it is read once, because older
-- servers let it go on within a script.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
if op == 'create' then
  if redis.call('EXISTS', key) == 1 then return 0 end
  local idle, absolute = tonumber(ARGV[3]), tonumber(ARGV[4])
  redis.call('HSET', key, 'data', ARGV[2], 'version', 1,
    'idle', ARGV[3], 'end', whole(now + absolute))
  redis.call('PEXPIRE', key, whole(math.min(idle, absolute)))
  return 1
end
-- load: {data, version}, or nothing.
local session = redis.call('HMGET', key, 'data', 'version', 'idle', 'end')
if not session[1] then return false end
local left = math.min(tonumber(session[3]), tonumber(session[4]) - now)
if left <= 0 then
  redis.call('DEL', key)
  return false
end
redis.call('PEXPIRE', key, whole(left))
return {session[1], tonumber(session[2])}

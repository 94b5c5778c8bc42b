-- The cache. KEYS: the value, who leads. ARGV: what to do, the leader's token.
local op, token = ARGV[1], ARGV[2]
if op == 'invalidate' then
  -- Both at once, or a load that is on its way would bring the old value back.
  return redis.call('DEL', KEYS[1], KEYS[2])
end
if op == 'lead' then
  -- For ARGV[3] ms, unless the value has more than ARGV[4] ms left. {0, time left of
  -- the lead, ..} if it is somebody else's, {1, ..} if it is ours, {2, ..} if what is
  -- there is good for longer; then PTTL and the entry.
  local entry = redis.call('HMGET', KEYS[1], 'value', 'cost', 'absent')
  local left = redis.call('PTTL', KEYS[1])
  local lead, wait = 0, 0
  if left > tonumber(ARGV[4]) then
    lead = 2
  elseif redis.call('SET', KEYS[2], token, 'NX', 'PX', ARGV[3]) then
    lead = 1
  else
    wait = math.max(redis.call('PTTL', KEYS[2]), 0)
  end
  return {lead, wait, left, entry}
end
-- 1 if done, 0 if the lead is lost.
if redis.call('GET', KEYS[2]) ~= token then return 0 end
if op == 'prolong' then
  -- PEXPIRE and not SET, which a full server refuses.
  return redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
if op == 'fill' then
  redis.call('HSET', KEYS[1], 'value', ARGV[4], 'cost', ARGV[5], 'absent', ARGV[6])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return redis.call('DEL', KEYS[2])

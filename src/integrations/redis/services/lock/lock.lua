-- The lock. KEYS: the holder, the fence. ARGV: what to do, the token, milliseconds.
-- {1, fence} if it is done, {0, ..} if it is somebody else's.
local op, token, ttl = ARGV[1], ARGV[2], ARGV[3]
if op == 'write' then
  -- To what the lock protects, under a fence in place of the token.
  local highest = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
  if tonumber(token) < highest then return {0, 0} end
  redis.call('HSET', KEYS[1], 'fence', token, 'value', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ttl)
  return {1, 0}
end
-- It reads first: a contender on a full server must hear "busy" and not "out of
-- memory", and must not use up a number.
local holder = redis.call('GET', KEYS[1])
if op == 'acquire' then
  if holder == token then
    redis.call('PEXPIRE', KEYS[1], ttl)
    return {1, tonumber(redis.call('GET', KEYS[2]) or 0)}
  end
  if holder then return {0, redis.call('PTTL', KEYS[1])} end
  redis.call('SET', KEYS[1], token, 'NX', 'PX', ttl)
  local fence = redis.call('INCR', KEYS[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  return {1, fence}
end
if holder ~= token then return {0, 0} end
-- PEXPIRE and not SET, which a full server refuses.
if op == 'extend' then return {redis.call('PEXPIRE', KEYS[1], ttl), 0} end
return {redis.call('DEL', KEYS[1]), 0}

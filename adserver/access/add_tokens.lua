-- Adds tokens and revocations that are not there yet, if nobody has changed them since they were read.
-- version 1
--
-- KEYS[1]  {access}:tokens   hash <SHA-256 of a token, hex> -> record, see tokens.py
-- KEYS[2]  {access}:revoked  hash <the same> -> record, see tokens.py
-- KEYS[3]  {access}:version  string, another after every change; absent while nothing was ever kept
-- ARGV[1]  the version expected; "" = none
-- ARGV[2]  the next version
-- ARGV[3]  how many of the pairs are tokens; those after them are revocations
-- ARGV[4…] pairs of field and value
-- reply    1 added; 0 another version is there, nothing was written
--
-- No record is ever changed or removed, so what hosts have apart from each other can be united.
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[1] then
  return 0
end
local tokens = tonumber(ARGV[3])
for i = 1, 2 do
  local type = redis.call('TYPE', KEYS[i]).ok
  if type ~= 'hash' and type ~= 'none' then
    return redis.error_reply('ERR ' .. KEYS[i] .. ' is a ' .. type .. ', not a hash of tokens')
  end
end
for i = 4, #ARGV, 2 do
  local key = (i - 4) / 2 < tokens and KEYS[1] or KEYS[2]
  redis.call('HSETNX', key, ARGV[i], ARGV[i + 1])
end
redis.call('SET', KEYS[3], ARGV[2])
return 1

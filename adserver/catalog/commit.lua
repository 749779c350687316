-- Makes a revision live and writes names, all or nothing, if the head is still the one that the change was made for.
-- version 1
--
-- KEYS[1]  {catalog}:head         string "<number> <digest>", absent while nothing was published
-- KEYS[2]  {catalog}:revisions    hash <number> -> entry, see revisions.py
-- KEYS[3]  {catalog}:documents    hash <number> -> documents, see revisions.py
-- KEYS[4]  {catalog}:names        hash, see names.py
-- ARGV[1]  the head expected; "" = none
-- ARGV[2]  number of the revision; "" = only names are written
-- ARGV[3]  its head
-- ARGV[4]  its entry
-- ARGV[5]  its documents
-- ARGV[6…] pairs of field and value for the names
-- reply    {1, head} written; {0, head} another head is live, nothing was written
--
-- All is read and checked before the first write: a script that fails midway keeps what it wrote.
local head = redis.call('GET', KEYS[1]) or ''
if head ~= ARGV[1] then
  return {0, head}
end
for i = 2, 4 do
  local type = redis.call('TYPE', KEYS[i]).ok
  if type ~= 'hash' and type ~= 'none' then
    return redis.error_reply('ERR ' .. KEYS[i] .. ' is a ' .. type .. ', not a hash of this catalog')
  end
end
for i = 6, #ARGV, 2 do
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
end
if ARGV[2] == '' then
  return {1, head}
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[5])
redis.call('SET', KEYS[1], ARGV[3])
return {1, ARGV[3]}

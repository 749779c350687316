-- Declares all of a spool that has ended as a gap, in a shard that has forgotten it. Version 1.
--
-- KEYS  1 ended (hash: spool -> end)     2 gap (hash: "spool:from" -> to)
-- ARGV  1 spool   2 from   3 to
-- reply 1 when declared; 0 when the shard knows that the spool has ended: nothing was written

if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[3]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1] .. ':' .. ARGV[2], ARGV[3])
return 1

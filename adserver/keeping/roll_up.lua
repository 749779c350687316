-- Moves one hash of cells to hashes of coarser times, all of it or nothing. Version 1.
--
-- KEYS  1 rolled (hash: family -> oldest day kept, family:moves -> hashes moved)
--       2 the hash that is moved     3 the set of its block's members
--       then two for each that it is moved to: the hash, the set of its block's members
-- ARGV  1 family   2 oldest day that is kept in it from now on, since 1970   3 its member, the same in every set
--       4 offsets, 3 bytes each: offset in the hash that is moved, number of the hash (from 0), offset there
-- reply how many counts were moved; 0 when there was nothing
--
-- A field is two bytes: offset * 4 + length, metric. All is read and checked first; what is written then cannot fail.

local byte, char = string.byte, string.char
local family, oldest, member, offsets = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local FIRST_TARGET = 4

local targets = {}
for i = 1, #offsets, 3 do
  local from, number, to = byte(offsets, i, i + 2)
  targets[from] = {key = FIRST_TARGET + 2 * number, offset = to}
end

local marked = tonumber(redis.call('HGET', KEYS[1], family) or '-1')
local moves = tonumber(redis.call('HGET', KEYS[1], family .. ':moves') or '0')
assert(marked and moves, 'the mark is no number')
redis.call('SISMEMBER', KEYS[3], member)
for key = FIRST_TARGET, #KEYS, 2 do
  redis.call('SISMEMBER', KEYS[key + 1], member)
end

local stored = redis.call('HGETALL', KEYS[2])
local sums, moved = {}, 0
for i = 1, #stored, 2 do
  local head, metric = byte(stored[i], 1, 2)
  local target = targets[math.floor(head / 4)]
  assert(target, 'an offset without a place')
  local field = char(target.offset * 4 + head % 4, metric)
  local of = sums[target.key] or {}
  local before = of[field] or tonumber(redis.call('HGET', KEYS[target.key], field) or '0')
  local count = tonumber(stored[i + 1])
  assert(before and count, 'a count is no number')
  if count ~= 0 then
    of[field] = before + count
    sums[target.key] = of
  end
  moved = moved + 1
end

if oldest > marked then redis.call('HSET', KEYS[1], family, ARGV[2]) end
for key, fields in pairs(sums) do
  for field, sum in pairs(fields) do
    redis.call('HSET', KEYS[key], field, string.format('%.0f', sum))
  end
  redis.call('SADD', KEYS[key + 1], member)
end
if moved > 0 then redis.call('HINCRBY', KEYS[1], family .. ':moves', 1) end
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], member)
return moved

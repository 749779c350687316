-- Moves hashes of cells to hashes of coarser times, all of it or nothing. Version 2.
--
-- KEYS  1 rolled (hash: family -> oldest day kept, family:moves -> hashes moved)
--       then for each move: the hash that is moved, the set of its block's members,
--       and two for each that it is moved to: the hash, the set of its block's members
-- ARGV  1 family   2 oldest day that is kept in it from now on, since 1970   3 how many moves
--       then for each move: its member, the same in every set; to how many hashes it is moved;
--       offsets, 3 bytes each: offset in the hash that is moved, number of the hash (from 0), offset there
-- reply how many of the hashes held anything
--
-- A field is two bytes: offset * 4 + length, metric. All is read and checked first; what is written then cannot fail.
-- Several moves may go to one hash, so what is added is summed by its name.

local byte, char, sub = string.byte, string.char, string.sub
local call, min = redis.call, math.min
local family, oldest = ARGV[1], tonumber(ARGV[2])
local CHUNK = 500

local marked = tonumber(call('HGET', KEYS[1], family) or '-1')
local moves = tonumber(call('HGET', KEYS[1], family .. ':moves') or '0')
assert(marked and moves, 'the mark is no number')

-- What is added to which hash; who is listed where from now on, and who is not any more.
local added, listed, unlisted, moved, gone = {}, {}, {}, 0, {}
local function note(lists, set, member)
  if not lists[set] then
    call('SISMEMBER', set, member)  -- fails now where it is no set
    lists[set] = {}
  end
  table.insert(lists[set], member)
end
local key, argument = 2, 4
for _ = 1, tonumber(ARGV[3]) do
  local source, set = KEYS[key], KEYS[key + 1]
  local member, targets, offsets = ARGV[argument], tonumber(ARGV[argument + 1]), ARGV[argument + 2]
  local number_of, offset_of = {}, {}
  for i = 1, #offsets, 3 do
    local from, number, to = byte(offsets, i, i + 2)
    number_of[from], offset_of[from] = number, to
  end
  local stored = call('HGETALL', source)
  for i = 1, #stored, 2 do
    local head = byte(stored[i])
    local length = head % 4
    local from = (head - length) / 4
    assert(number_of[from], 'an offset without a place')
    local count = tonumber(stored[i + 1])
    assert(count, 'a count is no number')
    if count ~= 0 then
      local at = key + 2 + 2 * number_of[from]
      local target, field = KEYS[at], char(offset_of[from] * 4 + length) .. sub(stored[i], 2)
      local fields = added[target]
      if not fields then
        fields = {}
        added[target] = fields
      end
      if not fields[at] then  -- this move's first: its member stands there from now on
        fields[at] = true
        note(listed, KEYS[at + 1], member)
      end
      fields[field] = (fields[field] or 0) + count
    end
  end
  if #stored > 0 then moved = moved + 1 end
  note(unlisted, set, member)
  gone[#gone + 1] = source
  key, argument = key + 2 + 2 * targets, argument + 3
end

local written = {}
for target, fields in pairs(added) do
  local names, pairs_ = {}, {}
  for field in pairs(fields) do
    if type(field) == 'string' then names[#names + 1] = field end
  end
  for first = 1, #names, CHUNK do
    local last = min(first + CHUNK - 1, #names)
    local before = call('HMGET', target, unpack(names, first, last))
    for n = first, last do
      local count = tonumber(before[n - first + 1] or '0')
      assert(count, 'a count is no number')
      pairs_[2 * n - 1], pairs_[2 * n] = names[n], string.format('%.0f', count + fields[names[n]])
    end
  end
  written[target] = pairs_
end

if oldest > marked then call('HSET', KEYS[1], family, ARGV[2]) end
if moved > 0 then call('HINCRBY', KEYS[1], family .. ':moves', moved) end
for target, pairs_ in pairs(written) do
  for first = 1, #pairs_, 2 * CHUNK do
    call('HSET', target, unpack(pairs_, first, min(first + 2 * CHUNK - 1, #pairs_)))
  end
end
for set, members in pairs(listed) do call('SADD', set, unpack(members)) end
call('DEL', unpack(gone))
for set, members in pairs(unlisted) do call('SREM', set, unpack(members)) end
return moved

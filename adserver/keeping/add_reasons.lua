-- Adds to the sampled reasons of a day. Version 1.
--
-- KEYS  1 reasons (hash: see counting/reason_cells.py)
-- ARGV  1 fields at most   2 fields at most once places are told apart   3 seconds to live   then field, number, …
-- reply how many of them found no field of their own
--
-- What finds no room with its place goes where places are not told apart, and where that has none, to the rest.

local call = redis.call
local key, most, most_placed = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local nowhere, rest = string.rep('\0', 5), string.rep('\0', 17)
local moved = 0

local function fits(field, bound)
  return call('HEXISTS', key, field) == 1 or call('HLEN', key) < bound
end

for n = 4, #ARGV, 2 do
  local field = ARGV[n]
  local placed = string.sub(field, 12, 16) ~= nowhere
  if not fits(field, placed and most_placed or most) then
    moved = moved + 1
    field = placed and (string.sub(field, 1, 11) .. nowhere .. string.sub(field, 17)) or rest
    if not fits(field, most) then field = rest end
  end
  call('HINCRBY', key, field, ARGV[n + 1])
end
call('EXPIRE', key, ARGV[3])
return moved

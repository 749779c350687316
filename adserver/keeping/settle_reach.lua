-- Leaves of sketches of a day's readers what they tell: the numbers. All of it or nothing. Version 1.
--
-- KEYS  1 reached (hash: flight -> readers)   2 the set of the day's flights that have a sketch   then the sketches
-- ARGV  the flight of each sketch, in hex
-- reply how many sketches there were
--
-- A flight whose sketch comes back after that keeps the larger number: what both saw cannot be told any more.

local call = redis.call
local numbers, settled = {}, 0
call('SISMEMBER', KEYS[2], '')  -- fails now where it is no set
for n, flight in ipairs(ARGV) do
  local before = tonumber(call('HGET', KEYS[1], flight) or '0')
  assert(before, 'a number of readers is none')
  local readers = call('PFCOUNT', KEYS[n + 2])
  settled = settled + call('EXISTS', KEYS[n + 2])
  if readers > before then
    numbers[#numbers + 1] = flight
    numbers[#numbers + 1] = readers
  end
end

if #numbers > 0 then call('HSET', KEYS[1], unpack(numbers)) end
call('DEL', unpack(KEYS, 3))
call('SREM', KEYS[2], unpack(ARGV))
return settled

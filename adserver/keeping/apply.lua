-- Applies one byte range of one spool to one shard's counts, exactly once. Version 2.
--
-- KEYS  1 applied (hash: spool -> offset)     2 delivered (hash: flight -> net impressions)
--       3 goals (hash: flight -> "revision:goal")     4 drops (hash: cause -> events)
--       5 gap (hash: "spool:from" -> to, ranges that were gone before they were counted)
--       then `blocks` token blocks, `cells` hashes of cells, `indexes` sets of members
-- ARGV  1 spool   2 from   3 to   4 dedupe window in seconds
--       5 blocks   6 cells   7 indexes   8 flights   9 corrupt records in the range, or -1: the range is gone, or
--          -2: the range was declared gone and is found again; see below
--       10 increments, 8 bytes each: cell u16, field 2 bytes, by u32
--       11 groups, 15 bytes each: hours cell u16, its offset u8, places cell u16, its offset u8, topics cell u16, its
--          offset u8, flight u16, hour u32            (cells, groups, blocks and flights are numbered from 0)
--       12 events, 8 bytes each: block u16, token u16, kind u8, length u8, group u16
--       13.. two a flight: its hash, "revision:goal" (goal 0: none; revision 0: not in the catalog any more)
--       then two a cell: the number of its index, its member there
-- A range found again is applied only while a gap is declared from exactly there, up to `to` at least; the gap then
-- begins at `to`, or is gone. Where the shard stands in the spool has no part in it.
--
-- reply {1, to} when applied; {0, offset} when the shard stands elsewhere in this spool: nothing was written
--
-- A token's state is six bits: seen 1, viewable 2, click 4, over 8, then two for the length fixed by its first event.
-- Everything is read and decided first; what is written then cannot fail.

local byte, char, sub = string.byte, string.char, string.sub
local spool, from, to, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local blocks, cells, indexes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local flights, corrupt = tonumber(ARGV[8]), tonumber(ARGV[9])
local increments, groups, events = ARGV[10], ARGV[11], ARGV[12]
local FIRST_FLIGHT = 13
local FIRST_CELL = FIRST_FLIGHT + 2 * flights
local FIRST_BLOCK_KEY, FIRST_CELL_KEY = 6, 6 + blocks
local FIRST_INDEX_KEY = FIRST_CELL_KEY + cells
local CHUNK = 500
local LAST_OF_BLOCK = 8159
local BITS = {[0] = 1, 2, 4}
local IMPRESSIONS, VIEWABLE, CLICKS = 1, 2, 3
local SEEN, CLICK, DUPLICATE, NO_VIEW, OVER = 0, 2, 8, 9, 10

local gap_end
if corrupt == -2 then
  gap_end = tonumber(redis.call('HGET', KEYS[5], spool .. ':' .. from) or '-1')
  if gap_end < to then return {0, gap_end} end
else
  local at = tonumber(redis.call('HGET', KEYS[1], spool) or '0')
  if at ~= from then return {0, at} end
end

local function invalid(kind, reason) return 16 + 16 * kind + reason end

-- What a state (its low four bits) counts as, by metric.
local COUNTS = {}
for state = 0, 15 do
  local seen, viewable = state % 2 == 1, math.floor(state / 2) % 2 == 1
  local click, over = math.floor(state / 4) % 2 == 1, state >= 8
  local view, counts = seen or viewable, {}
  if view and not over then
    counts[#counts + 1] = IMPRESSIONS
    if viewable then counts[#counts + 1] = VIEWABLE end
    if click then counts[#counts + 1] = CLICKS end
  elseif view then
    counts[#counts + 1] = invalid(SEEN, OVER)
    if viewable then counts[#counts + 1] = invalid(1, OVER) end
    if click then counts[#counts + 1] = invalid(CLICK, OVER) end
  elseif click then
    counts[#counts + 1] = invalid(CLICK, NO_VIEW)
  end
  COUNTS[state] = counts
end

-- Goals in force (the highest revision's) and what is delivered of them.
local goals, delivered, counted, newer = {}, {}, {}, {}
for flight = 0, flights - 1 do
  local name, sent = ARGV[FIRST_FLIGHT + 2 * flight], ARGV[FIRST_FLIGHT + 2 * flight + 1]
  local stored = redis.call('HGET', KEYS[3], name)
  local revision, goal = string.match(sent, '^(%d+):(%d+)$')
  if stored then
    local stored_revision, stored_goal = string.match(stored, '^(%d+):(%d+)$')
    if tonumber(stored_revision) >= tonumber(revision) then revision, goal = nil, stored_goal end
  end
  if revision and tonumber(revision) > 0 then newer[flight] = sent end
  goals[flight] = tonumber(goal)
  delivered[flight] = tonumber(redis.call('HGET', KEYS[2], name) or '0')
  counted[flight] = 0
end

-- The states of all tokens named, read block by block.
local wanted, states = {}, {}
for block = 0, blocks - 1 do wanted[block], states[block] = {}, {} end
for i = 1, #events, 8 do
  local b1, b2, t1, t2 = byte(events, i, i + 3)
  local block, token = b1 * 256 + b2, t1 * 256 + t2
  if not states[block][token] then
    states[block][token] = 0
    wanted[block][#wanted[block] + 1] = token
  end
end
local missing = {}
for block = 0, blocks - 1 do
  local key, tokens = KEYS[FIRST_BLOCK_KEY + block], wanted[block]
  missing[block] = redis.call('EXISTS', key) == 0
  if not missing[block] then
    for first = 1, #tokens, CHUNK do
      local call, last = {'BITFIELD', key}, math.min(first + CHUNK - 1, #tokens)
      for n = first, last do
        call[#call + 1] = 'GET'
        call[#call + 1] = 'u6'
        call[#call + 1] = '#' .. tokens[n]
      end
      local values = redis.call(unpack(call))
      for n = first, last do states[block][tokens[n]] = values[n - first + 1] end
    end
  end
end

-- Decide.
local deltas = {}
for cell = 0, cells - 1 do deltas[cell] = {} end
local function add(cell, field, by)
  deltas[cell][field] = (deltas[cell][field] or 0) + by
end
for i = 1, #increments, 8 do
  local c1, c2, _, _, n1, n2, n3, n4 = byte(increments, i, i + 7)
  add(c1 * 256 + c2, sub(increments, i + 2, i + 3), ((n1 * 256 + n2) * 256 + n3) * 256 + n4)
end

local FIELDS = {}
local function field_of(offset, length, metric)
  local code = (offset * 4 + length) * 256 + metric
  local field = FIELDS[code]
  if not field then
    field = char(offset * 4 + length, metric)
    FIELDS[code] = field
  end
  return field
end

local oldest_second = tonumber(redis.call('TIME')[1]) - window
local read_groups = {}
local function read_group(group)
  local i = group * 15 + 1
  local h1, h2, ho, p1, p2, po, t1, t2, to_, f1, f2, s1, s2, s3, s4 = byte(groups, i, i + 14)
  local read = {
    late = (((s1 * 256 + s2) * 256 + s3) * 256 + s4) * 3600 < oldest_second,
    flight = f1 * 256 + f2,
    {h1 * 256 + h2, ho}, {p1 * 256 + p2, po}, {t1 * 256 + t2, to_},
  }
  read_groups[group] = read
  return read
end
local function count(group, length, metric, by)
  for family = 1, 3 do
    local place = group[family]
    add(place[1], field_of(place[2], length, metric), by)
  end
end

local late, changed = 0, {}
for block = 0, blocks - 1 do changed[block] = {} end
for i = 1, #events, 8 do
  local b1, b2, t1, t2, kind, length, g1, g2 = byte(events, i, i + 7)
  local block, token = b1 * 256 + b2, t1 * 256 + t2
  local group = read_groups[g1 * 256 + g2] or read_group(g1 * 256 + g2)
  if group.late then
    late = late + 1
  else
    local state = states[block][token]
    local low = state % 16
    local fixed = math.floor(state / 16)
    if low == 0 then fixed = length end
    local bit = BITS[kind]
    if math.floor(low / bit) % 2 == 1 then
      count(group, fixed, invalid(kind, DUPLICATE), 1)
    else
      local new, flight = low + bit, group.flight
      if kind ~= CLICK and low % 4 == 0 then  -- this event is the token's view
        if goals[flight] > 0 and delivered[flight] + counted[flight] >= goals[flight] then
          new = new + 8
        else
          counted[flight] = counted[flight] + 1
        end
      end
      for _, metric in ipairs(COUNTS[low]) do count(group, fixed, metric, -1) end
      for _, metric in ipairs(COUNTS[new]) do count(group, fixed, metric, 1) end
      states[block][token] = fixed * 16 + new
      changed[block][token] = true
    end
  end
end

-- Write.
for block = 0, blocks - 1 do
  local key, call = KEYS[FIRST_BLOCK_KEY + block], nil
  for token in pairs(changed[block]) do
    if not call then
      call = {'BITFIELD', key}
      if missing[block] then  -- at its full size from the start: a growing string costs double
        call = {'BITFIELD', key, 'SET', 'u6', '#' .. LAST_OF_BLOCK, 0}
        missing[block] = false
      end
    end
    call[#call + 1] = 'SET'
    call[#call + 1] = 'u6'
    call[#call + 1] = '#' .. token
    call[#call + 1] = states[block][token]
    if #call > 4 * CHUNK then
      redis.call(unpack(call))
      call = {'BITFIELD', key}
    end
  end
  if call then
    if #call > 2 then redis.call(unpack(call)) end
    redis.call('EXPIRE', key, window + 7200)
  end
end
local members = {}
for cell = 0, cells - 1 do
  local key, touched = KEYS[FIRST_CELL_KEY + cell], false
  for field, by in pairs(deltas[cell]) do
    if by ~= 0 then
      redis.call('HINCRBY', key, field, by)
      touched = true
    end
  end
  if touched then
    local index = tonumber(ARGV[FIRST_CELL + 2 * cell])
    members[index] = members[index] or {'SADD', KEYS[FIRST_INDEX_KEY + index]}
    local call = members[index]
    call[#call + 1] = ARGV[FIRST_CELL + 2 * cell + 1]
    if #call > CHUNK then
      redis.call(unpack(call))
      members[index] = nil
    end
  end
end
for index = 0, indexes - 1 do
  if members[index] then redis.call(unpack(members[index])) end
end
for flight = 0, flights - 1 do
  local name = ARGV[FIRST_FLIGHT + 2 * flight]
  if newer[flight] then redis.call('HSET', KEYS[3], name, newer[flight]) end
  if counted[flight] > 0 then redis.call('HINCRBY', KEYS[2], name, counted[flight]) end
end
if late > 0 then redis.call('HINCRBY', KEYS[4], 'late', late) end
if corrupt > 0 then redis.call('HINCRBY', KEYS[4], 'corrupt', corrupt) end
if corrupt == -1 then redis.call('HSET', KEYS[5], spool .. ':' .. from, to) end
if gap_end then
  redis.call('HDEL', KEYS[5], spool .. ':' .. from)
  if gap_end > to then redis.call('HSET', KEYS[5], spool .. ':' .. to, gap_end) end
  return {1, to}
end
redis.call('HSET', KEYS[1], spool, to)
return {1, to}

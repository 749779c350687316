-- Applies one byte range of one spool to one shard's counts, exactly once. Version 4.
--
-- KEYS  1 applied (hash: spool -> offset)     2 delivered (hash: flight -> net impressions)
--       3 goals (hash: flight -> "revision:goal")     4 drops (hash: cause -> events)
--       5 gap (hash: "spool:from" -> to, ranges that were gone before they were counted)
--       6 repeats (hash: "issuer:sequence" -> "beacons:hour of issue:hour of the last one:slot:place", of tokens whose
--         view is counted and came again)
--       then `blocks` token blocks, `cells` hashes of cells, `sketches` sketches of readers, `indexes` sets of members,
--       then token blocks of `echoes`
-- ARGV  1 spool   2 from   3 to   4 dedupe window in seconds
--       5 blocks   6 cells   7 sketches   8 indexes   9 flights
--       10 corrupt records in the range, or -1: the range is gone, or -2: the range was declared gone and is found
--          again; see below
--       11 rows of each block: u16 each
--       12 rows, 11 bytes each, by block, by token, then as they came: token u16; what u8 (kinds that came, 3 bits; length,
--          2 bits; 32 where there is a reader); group u16; order u16; reader, 4 bytes
--       13 groups, 17 bytes each: hours cell u16, its offset u8, places cell u16, its offset u8, topics cell u16, its
--          offset u8, flight u16, hour u32, sketch u16        (all of these are numbered from 0)
--       14 increments, 12 bytes each: group u16, length u8, metric u8, by u64
--       15 index of each cell, then of each sketch: u16 each
--       16 how many views the rows can bring each flight at most: u16 each
--       17 echoes, 8 bytes each: views of tokens that had expired: block u16, token u16, group u16, times u16
--       then a flight's hash for each flight, then its "revision:goal" for each (goal 0: none; revision 0: not in the
--       catalog any more)
-- A range found again is applied only while a gap is declared from exactly there, up to `to` at least; the gap then
-- begins at `to`, or is gone. Where the shard stands in the spool has no part in it.
--
-- reply {1, to} when applied; {0, offset} when the shard stands elsewhere in this spool: nothing was written
--
-- A token's state is six bits: seen 1, viewable 2, click 4, over 8, then two for the length fixed by its first event.
-- Everything is read and decided first; what is written then cannot fail. What is done a row is kept small: a row only
-- finds its token's state and counts one transition; what transitions mean for cells is worked out once a group.

local byte, char, sub, rep, concat = string.byte, string.char, string.sub, string.rep, table.concat
local call, min = redis.call, math.min
local spool, from, to, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local blocks, cells, sketches = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local indexes, flights, corrupt = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local block_rows, rows, groups, increments, index_of, views, echoes = unpack(ARGV, 11, 17)
local FIRST_FLIGHT = 18
local FIRST_GOAL = FIRST_FLIGHT + flights
local FIRST_BLOCK_KEY = 7
local FIRST_CELL_KEY = FIRST_BLOCK_KEY + blocks
local FIRST_SKETCH_KEY = FIRST_CELL_KEY + cells
local FIRST_INDEX_KEY = FIRST_SKETCH_KEY + sketches
local FIRST_ECHO_KEY = FIRST_INDEX_KEY + indexes
local CHUNK = 500
local TOKENS = 8160  -- of a block
local MOST_REPEATS = 4096  -- tokens that are watched at once: no flood makes the hash grow on
local ROW = 11
local BLOCK_BYTES = 6120
local GAP = 64  -- bytes between two changes that one write bridges: as much as another write costs the append-only file
local IMPRESSIONS, VIEWABLE, CLICKS = 1, 2, 3
local DUPLICATE, NO_VIEW, OVER = 8, 9, 10

local gap_end
if corrupt == -2 then
  gap_end = tonumber(call('HGET', KEYS[5], spool .. ':' .. from) or '-1')
  if gap_end < to then return {0, gap_end} end
else
  local at = tonumber(call('HGET', KEYS[1], spool) or '0')
  if at ~= from then return {0, at} end
end

local function u16(data, position)
  local high, low = byte(data, position, position + 1)
  return high * 256 + low
end
local function invalid(kind, reason) return 16 + 16 * kind + reason end

-- What a state (its low four bits) counts as: metric -> 1.
local function counts_of(state)
  local view, viewable, click, over = state % 4 > 0, state % 4 > 1, state % 8 > 3, state > 7
  local counts = {}
  if view and not over then
    counts[IMPRESSIONS], counts[VIEWABLE], counts[CLICKS] = 1, viewable and 1 or nil, click and 1 or nil
  elseif view then
    counts[invalid(0, OVER)] = 1
    counts[invalid(1, OVER)], counts[invalid(2, OVER)] = viewable and 1 or nil, click and 1 or nil
  elseif click then
    counts[invalid(2, NO_VIEW)] = 1
  end
  return counts
end

-- What becomes of a state when kinds of events come: the new state, what is added to which metric of which length, and
-- whether the token has become a net impression.
local function transition(state, kinds, length, beyond)
  local old, fixed = state % 16, (state - state % 16) / 16
  if old == 0 then fixed = length end
  local new, metrics, net, again = old, {}, 0, 0
  local function add(metric, by) metrics[metric] = (metrics[metric] or 0) + by end
  for kind = 0, 2 do
    local bit = 2 ^ kind
    if kinds % (2 * bit) >= bit then
      if old % (2 * bit) >= bit then
        add(invalid(kind, DUPLICATE), 1)
        if kind < 2 then again = again + 1 end
      else
        new = new + bit
      end
    end
  end
  if old % 4 == 0 and new % 4 > 0 then  -- these events are the token's view
    if beyond then new = new + 8 else net = 1 end
  end
  for metric in pairs(counts_of(old)) do add(metric, -1) end
  for metric in pairs(counts_of(new)) do add(metric, 1) end
  local effects = {}
  for metric, by in pairs(metrics) do effects[#effects + 1] = {fixed * 256 + metric, by} end
  local before = old % 2 + (old % 4 > 1 and 1 or 0)
  local after = new % 2 + (new % 4 > 1 and 1 or 0)
  return {state = fixed * 16 + new, effects = effects, net = net, again = again, before = before, after = after}
end
local TRANSITIONS = {}  -- by beyond, state, length and kinds: as many as one batch knows
local function transition_of(code)
  local kinds, length, state = code % 8, math.floor(code / 8) % 4, math.floor(code / 32) % 64
  TRANSITIONS[code] = transition(state, kinds, length, code >= 2048)
  return TRANSITIONS[code]
end

-- Calls a command that takes many fields, a part at a time; returns all it said.
local function in_parts(command, key, first, last)
  local replies = {}
  for start = first, last, CHUNK do
    local part = call(command, key, unpack(ARGV, start, min(start + CHUNK - 1, last)))
    for n = 1, #part do replies[#replies + 1] = part[n] end
  end
  return replies
end

-- Goals in force (the highest revision's) and what is delivered of them.
local stored_goals = in_parts('HMGET', KEYS[3], FIRST_FLIGHT, FIRST_GOAL - 1)
local stored_delivered = in_parts('HMGET', KEYS[2], FIRST_FLIGHT, FIRST_GOAL - 1)
local room, newer, tight = {}, {}, false  -- room: views that fit, where the goal may be met in this batch
for flight = 0, flights - 1 do
  local sent, stored = ARGV[FIRST_GOAL + flight], stored_goals[flight + 1]
  local revision, goal = string.match(sent, '^(%d+):(%d+)$')
  if stored then
    local stored_revision, stored_goal = string.match(stored, '^(%d+):(%d+)$')
    if tonumber(stored_revision) >= tonumber(revision) then revision, goal = nil, stored_goal end
  end
  if revision and tonumber(revision) > 0 then newer[flight] = sent end
  local left = tonumber(goal) - tonumber(stored_delivered[flight + 1] or '0')
  if tonumber(goal) > 0 and left < u16(views, 2 * flight + 1) then
    room[flight] = math.max(left, 0)
    tight = true
  end
end

-- The groups.
local now = tonumber(call('TIME')[1])
local oldest_second = now - window
local flight_of, late_of, sketch_of, hour_of, place_cell_of = {}, {}, {}, {}, {}
local group_of, offset_of, shared = {}, {}, {}  -- by cell: its group, and the offset; or all of them, where several share it
local function place(group, cell, offset)
  local shares, first = shared[cell], group_of[cell]
  if shares then
    shares[#shares + 1] = group
    shares[#shares + 1] = offset
  elseif first then
    shared[cell] = {first, offset_of[cell], group, offset}
  else
    group_of[cell], offset_of[cell] = group, offset
  end
end
for group = 0, #groups / 17 - 1 do
  local h1, h2, ho, p1, p2, po, t1, t2, to_, f1, f2, s1, s2, s3, s4, r1, r2 = byte(groups, group * 17 + 1, group * 17 + 17)
  flight_of[group] = f1 * 256 + f2
  hour_of[group] = ((s1 * 256 + s2) * 256 + s3) * 256 + s4
  place_cell_of[group] = p1 * 256 + p2
  late_of[group] = hour_of[group] * 3600 < oldest_second
  place(group, h1 * 256 + h2, ho * 1024)
  place(group, p1 * 256 + p2, po * 1024)
  place(group, t1 * 256 + t2, to_ * 1024)
  sketch_of[group] = r1 * 256 + r2
end

-- The stored states of each block, from that of its first row's token to that of its last's; four tokens are three bytes.
local first_row, last_row, first_quad, stored, short = {}, {}, {}, {}, {}
local next_row = 1
for block = 0, blocks - 1 do
  local key, count = KEYS[FIRST_BLOCK_KEY + block], u16(block_rows, 2 * block + 1)
  first_row[block], last_row[block] = next_row, next_row + (count - 1) * ROW
  next_row = next_row + count * ROW
  local low, high = u16(rows, first_row[block]), u16(rows, last_row[block])
  low, high = (low - low % 4) / 4, (high - high % 4) / 4
  local text = call('GETRANGE', key, low * 3, high * 3 + 2)
  local missing = (high - low + 1) * 3 - #text
  if missing > 0 then
    text = text .. rep('\0', missing)
    short[block] = call('STRLEN', key) < BLOCK_BYTES
  end
  first_quad[block], stored[block] = low, text
end

-- Where a goal may be met: which views are beyond it, in the order of the records.
local beyond = {}
local function find_views()
  local found = {}
  for block = 0, blocks - 1 do
    local viewed
    for i = first_row[block], last_row[block], ROW do
      local t1, t2, what, g1, g2, o1, o2 = byte(rows, i, i + 6)
      local token, group = t1 * 256 + t2, g1 * 256 + g2
      local flight = flight_of[group]
      if room[flight] and what % 4 > 0 and token ~= viewed and not late_of[group] then
        local place = token % 4
        local quad_at = ((token - place) / 4 - first_quad[block]) * 3 + 1
        local b1, b2, b3 = byte(stored[block], quad_at, quad_at + 2)
        local state = math.floor((b1 * 65536 + b2 * 256 + b3) / 64 ^ (3 - place)) % 64
        if state % 4 == 0 then
          found[flight] = found[flight] or {}
          table.insert(found[flight], {o1 * 256 + o2, i})
        end
        viewed = token
      end
    end
  end
  return found
end
if tight then
  for flight, found in pairs(find_views()) do
    table.sort(found, function(one, other) return one[1] < other[1] end)
    for n = room[flight] + 1, #found do beyond[found[n][2]] = true end
  end
end

-- Decide: each row's transition, counted by group; the blocks as they are to be written.
local tally, late, block_writes, readers = {}, 0, {}, {}
local repeated, repeats = {}, {}  -- name of a token -> its entry in the list: name, beacons that came again, before, group
local function note(key, token, group, times, before)
  local issuer, number = string.match(key, ':(%x+):(%d+)$')
  local name = issuer .. ':' .. (number * TOKENS + token)
  local known = repeated[name]
  if known then
    known[2] = known[2] + times
  else
    known = {name, times, before, group}
    repeated[name] = known
    repeats[#repeats + 1] = known
  end
end
local echo_tokens = {}  -- by block: token -> its view beacons after this batch
for i = 1, #echoes, 8 do
  local key = KEYS[FIRST_ECHO_KEY + u16(echoes, i)]
  echo_tokens[key] = echo_tokens[key] or {}
  echo_tokens[key][u16(echoes, i + 2)] = 0
end
local SHIFTS = {[0] = 262144, 4096, 64, 1}
for block = 0, blocks - 1 do
  local text, low, echoed = stored[block], first_quad[block], echo_tokens[KEYS[FIRST_BLOCK_KEY + block]]
  local quad, word, old_word = -1, 0, 0
  local run_from, run_to, pieces = 0, -1 - GAP, nil  -- bytes of `text` from and behind, of the write under way
  local function close()
    if pieces then
      block_writes[#block_writes + 1] = {block, low * 3 + run_from, concat(pieces)}
      pieces = nil
    end
  end
  local function keep()
    if word == old_word then return end
    local start = (quad - low) * 3
    if pieces and start - run_to <= GAP then
      if start > run_to then pieces[#pieces + 1] = sub(text, run_to + 1, start) end
    else
      close()
      run_from, pieces = start, {}
    end
    local b3 = word % 256
    local b12 = (word - b3) / 256
    local b2 = b12 % 256
    pieces[#pieces + 1] = char((b12 - b2) / 256, b2, b3)
    run_to = start + 3
  end
  for i = first_row[block], last_row[block], ROW do
    local t1, t2, what, g1, g2 = byte(rows, i, i + 4)
    local token, group = t1 * 256 + t2, g1 * 256 + g2
    local place = token % 4
    local its_quad = (token - place) / 4
    if its_quad ~= quad then
      keep()
      quad = its_quad
      local start = (quad - low) * 3
      local b1, b2, b3 = byte(text, start + 1, start + 3)
      word = b1 * 65536 + b2 * 256 + b3
      old_word = word
    end
    if late_of[group] then
      late = late + what % 2 + (what % 4 > 1 and 1 or 0) + (what % 8 > 3 and 1 or 0)
    else
      local reader = what >= 32
      if reader then what = what - 32 end
      local shift = SHIFTS[place]
      local state = (word - word % shift) / shift % 64
      local code = state * 32 + what
      if beyond[i] then code = code + 2048 end
      local change = TRANSITIONS[code] or transition_of(code)
      word = word + (change.state - state) * shift
      if change.again > 0 then note(KEYS[FIRST_BLOCK_KEY + block], token, group, change.again, change.before) end
      if echoed and echoed[token] then echoed[token] = change.after end
      local counted = group * 4096 + code
      tally[counted] = (tally[counted] or 0) + 1
      if reader and change.net == 1 then
        local sketch = sketch_of[group]
        local elements = readers[sketch]
        if not elements then
          elements = {}
          readers[sketch] = elements
        end
        elements[#elements + 1] = sub(rows, i + 7, i + 10)
      end
    end
  end
  keep()
  close()
end

-- Tokens whose views come again and again: markup that holds one was cached. Of those that had expired the state may be gone.
for i = 1, #echoes, 8 do
  local key, token = KEYS[FIRST_ECHO_KEY + u16(echoes, i)], u16(echoes, i + 2)
  local place = token % 4
  local b1, b2, b3 = byte(call('GETRANGE', key, (token - place) / 4 * 3, (token - place) / 4 * 3 + 2) .. '\0\0\0', 1, 3)
  local state = math.floor((b1 * 65536 + b2 * 256 + b3) / 64 ^ (3 - place)) % 64
  local before = math.max(state % 2 + (state % 4 > 1 and 1 or 0), echo_tokens[key][token])
  note(key, token, u16(echoes, i + 4), u16(echoes, i + 6), before)
end
local watched, repeat_writes = #repeats > 0 and call('HLEN', KEYS[6]), {}
for first = 1, #repeats, CHUNK do
  local asked, last = {}, min(first + CHUNK - 1, #repeats)
  for n = first, last do asked[#asked + 1] = repeats[n][1] end
  local stored_values = call('HMGET', KEYS[6], unpack(asked))
  for n = first, last do
    local name, times, before, group = unpack(repeats[n])
    local beacons = tonumber(string.match(stored_values[n - first + 1] or '', '^%d+') or '0')
    if beacons == 0 and before > 0 and watched < MOST_REPEATS then
      beacons, watched = before, watched + 1
    end
    if beacons > 0 then
      local slot, place = string.match(KEYS[FIRST_CELL_KEY + place_cell_of[group]], ':(%x+):(%x+):%d+$')
      repeat_writes[#repeat_writes + 1] = name
      repeat_writes[#repeat_writes + 1] = string.format('%d:%d:%d:%s:%s', beacons + times, hour_of[group],
        math.floor(now / 3600), slot, place)
    end
  end
end

-- What that adds to each group's metrics, and to what is delivered.
local by_group, counted = {}, {}
local function metrics_of(group)
  local metrics = by_group[group]
  if not metrics then
    metrics = {}
    by_group[group] = metrics
  end
  return metrics
end
for key, times in pairs(tally) do
  local code = key % 4096
  local group = (key - code) / 4096
  local change, metrics = TRANSITIONS[code], metrics_of(group)
  for _, effect in ipairs(change.effects) do
    metrics[effect[1]] = (metrics[effect[1]] or 0) + effect[2] * times
  end
  if change.net == 1 then
    local flight = flight_of[group]
    counted[flight] = (counted[flight] or 0) + times
  end
end
for i = 1, #increments, 12 do
  local g1, g2, length, metric, _, _, n3, n4, n5, n6, n7, n8 = byte(increments, i, i + 11)
  local by = ((((n3 * 256 + n4) * 256 + n5) * 256 + n6) * 256 + n7) * 256 + n8
  local metrics = metrics_of(g1 * 256 + g2)
  metrics[length * 256 + metric] = (metrics[length * 256 + metric] or 0) + by
end

-- What each cell becomes. A field is (offset * 4 + length) * 256 + metric. All cells' fields stand one behind the other
-- in two lists: a table a cell would cost more than all else here.
local FIELDS = {}
local function field_of(code)
  FIELDS[code] = char((code - code % 256) / 256, code % 256)
  return FIELDS[code]
end
local names, counts, count = {}, {}, 0
local function add_fields(metrics, offset)
  for metric, by in pairs(metrics) do
    if by ~= 0 then
      count = count + 1
      names[count], counts[count] = FIELDS[offset + metric] or field_of(offset + metric), by
    end
  end
end
local function add_sums(shares)  -- of a cell that several groups count in
  local sums = {}
  for n = 1, #shares, 2 do
    local metrics, offset = by_group[shares[n]], shares[n + 1]
    for metric, by in pairs(metrics or {}) do
      sums[offset + metric] = (sums[offset + metric] or 0) + by
    end
  end
  add_fields(sums, 0)
end
local members = {}
local function list(number, member)
  local index = u16(index_of, 2 * number + 1)
  members[index] = members[index] or {}
  table.insert(members[index], member)
end
local cell_from, cell_to, written = {}, {}, {}
for cell = 0, cells - 1 do
  local first, group = count + 1, group_of[cell]
  if shared[cell] then
    add_sums(shared[cell])
  elseif by_group[group] then
    add_fields(by_group[group], offset_of[cell])
  end
  if count >= first then
    local key = KEYS[FIRST_CELL_KEY + cell]
    local values, is_new = call('HMGET', key, unpack(names, first, count)), false
    for n = 1, count - first + 1 do
      local value, at_ = values[n], first + n - 1
      local pair = 2 * at_
      written[pair - 1] = names[at_]
      if value then written[pair] = value + counts[at_] else written[pair], is_new = counts[at_], true end
    end
    if is_new then list(cell, string.match(key, ':%a+:(.+):%d+$')) end  -- else it was listed with its first field
  end
  cell_from[cell], cell_to[cell] = 2 * first - 1, 2 * count
end
for sketch in pairs(readers) do
  list(cells + sketch, string.match(KEYS[FIRST_SKETCH_KEY + sketch], ':(%x+)$'))
end

-- Write.
local renewed
for n = 1, #block_writes do
  local block, start, text = unpack(block_writes[n])
  local key = KEYS[FIRST_BLOCK_KEY + block]
  if short[block] then  -- at its full size from the start: a growing string costs double
    call('SETRANGE', key, BLOCK_BYTES - 1, '\0')
    short[block] = false
  end
  call('SETRANGE', key, start, text)
  if block ~= renewed then
    call('EXPIRE', key, window + 7200)
    renewed = block
  end
end
for cell = 0, cells - 1 do
  local first, last = cell_from[cell], cell_to[cell]
  if last > first then call('HSET', KEYS[FIRST_CELL_KEY + cell], unpack(written, first, last)) end
end
for sketch, elements in pairs(readers) do
  for first = 1, #elements, CHUNK do
    call('PFADD', KEYS[FIRST_SKETCH_KEY + sketch], unpack(elements, first, min(first + CHUNK - 1, #elements)))
  end
end
for index, listed in pairs(members) do
  for first = 1, #listed, CHUNK do
    call('SADD', KEYS[FIRST_INDEX_KEY + index], unpack(listed, first, min(first + CHUNK - 1, #listed)))
  end
end
for flight = 0, flights - 1 do
  local name = ARGV[FIRST_FLIGHT + flight]
  if newer[flight] then call('HSET', KEYS[3], name, newer[flight]) end
  if counted[flight] then call('HINCRBY', KEYS[2], name, counted[flight]) end
end
for first = 1, #repeat_writes, 2 * CHUNK do
  call('HSET', KEYS[6], unpack(repeat_writes, first, min(first + 2 * CHUNK - 1, #repeat_writes)))
end
if late > 0 then call('HINCRBY', KEYS[4], 'late', late) end
if corrupt > 0 then call('HINCRBY', KEYS[4], 'corrupt', corrupt) end
if corrupt == -1 then call('HSET', KEYS[5], spool .. ':' .. from, to) end
if gap_end then
  call('HDEL', KEYS[5], spool .. ':' .. from)
  if gap_end > to then call('HSET', KEYS[5], spool .. ':' .. to, gap_end) end
  return {1, to}
end
call('HSET', KEYS[1], spool, to)
return {1, to}

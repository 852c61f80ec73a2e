-- ARGV: lost_after
-- Returns how many wait for a place and, for each runner, its row, its drain or '', whether it is live, milliseconds
-- since its last word, its kernels and its places that are reserved.
local held, kept = {}, {}
for _, text in ipairs(redis.call('HVALS', owners)) do
  local runner = text:match('^%S+ (%S+)')
  held[runner] = (held[runner] or 0) + 1
end
for _, text in ipairs(redis.call('HVALS', reserved)) do
  local expires, runner = text:match('^(%S+) (%S+)')
  if tonumber(expires) >= now then kept[runner] = (kept[runner] or 0) + 1 end
end
local found = { redis.call('ZCARD', queue) }
local rows = redis.call('HGETALL', runners)
for at = 1, #rows, 2 do
  local runner = rows[at]
  local silent = now - tonumber(redis.call('ZSCORE', seen, runner))
  for _, value in ipairs({
    rows[at + 1], redis.call('HGET', drains, runner) or '', live(runner) and 1 or 0,
    math.floor(silent * 1000), held[runner] or 0, kept[runner] or 0,
  }) do
    found[#found + 1] = value
  end
end
return found

-- ARGV: lost_after, kernel, kernelspec in lower case, reservation, reserve_for, seed
-- Returns {'KERNEL', row, runner row, live} or {'PLACE', runner row} or {reason}.
local kernel, kernelspec, reservation = ARGV[2], ARGV[3], ARGV[4]
local holder = owner_of(kernel)
if holder then
  return {
    'KERNEL', redis.call('HGET', kernels, kernel), redis.call('HGET', runners, holder),
    live(holder) and 1 or 0,
  }
end

local load = {}
local kept = redis.call('HGETALL', reserved)
for at = 1, #kept, 2 do
  local expires, runner = kept[at + 1]:match('^(%S+) (%S+) ')
  if tonumber(expires) < now then
    redis.call('HDEL', reserved, kept[at])
  elseif kept[at] == kernel then
    if not live(runner) then return { 'LOST' } end
    return { 'PLACE', redis.call('HGET', runners, runner) }
  else
    load[runner] = (load[runner] or 0) + 1
  end
end
for _, text in ipairs(redis.call('HVALS', owners)) do
  local runner = text:match('^%S+ (.+)$')
  load[runner] = (load[runner] or 0) + 1
end

local any, offered = false, false
local able = {}
local rows = redis.call('HGETALL', runners)
for at = 1, #rows, 2 do
  local runner = rows[at]
  if live(runner) then
    any = true
    local row = cjson.decode(rows[at + 1])
    if row.names[kernelspec] then
      offered = true
      local used = load[runner] or 0
      if used < row.capacity then
        able[#able + 1] = { runner = runner, row = rows[at + 1], used = used / row.capacity }
      end
    end
  end
end
if not any then return { 'NO_RUNNER' } end
if not offered then return { 'NO_SUCH_KERNELSPEC' } end
if #able == 0 then return { 'NO_CAPACITY' } end

-- The server gives every script the same sequence of random numbers otherwise.
math.randomseed(tonumber(ARGV[6]))
local first = table.remove(able, math.random(#able))
local chosen = first
if #able > 0 then
  local second = able[math.random(#able)]
  if second.used < first.used then chosen = second end
end
redis.call('HDEL', gone, kernel)
redis.call('HDEL', ended, kernel)
local expires = string.format('%.3f', now + tonumber(ARGV[5]))
redis.call('HSET', reserved, kernel, expires .. ' ' .. chosen.runner .. ' ' .. reservation)
return { 'PLACE', chosen.row }

-- ARGV: lost_after, kernel, kernelspec in lower case, reservation, reserve_for, seed,
--       wish (JSON: user, runner_labels, avoid), most kernels, most of one user (0: any number)
-- Returns {'KERNEL', row, runner row, live} or {'PLACE', runner row} or {reason}.
local kernel, kernelspec, reservation = ARGV[2], ARGV[3], ARGV[4]
local wish, most, most_of_user = cjson.decode(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local holder = owner_of(kernel)
if holder then
  return {
    'KERNEL', redis.call('HGET', kernels, kernel), redis.call('HGET', runners, holder),
    live(holder) and 1 or 0,
  }
end

-- What counts is what is held, also by runners that are lost, and what is reserved.
local load, of_user, in_all = {}, {}, 0
local function count(runner, user)
  load[runner] = (load[runner] or 0) + 1
  of_user[user] = (of_user[user] or 0) + 1
  in_all = in_all + 1
end
local kept = redis.call('HGETALL', reserved)
for at = 1, #kept, 2 do
  local expires, runner, user = kept[at + 1]:match('^(%S+) (%S+) %S+ ?(.*)$')
  if tonumber(expires) < now then
    redis.call('HDEL', reserved, kept[at])
  elseif kept[at] == kernel then
    if not live(runner) then return { 'LOST' } end
    return { 'PLACE', redis.call('HGET', runners, runner) }
  else
    count(runner, user)
  end
end
for _, text in ipairs(redis.call('HVALS', owners)) do
  local runner, user = text:match('^%S+ (%S+) ?(.*)$')
  count(runner, user)
end

local avoided = {}
for _, runner in ipairs(wish.avoid) do avoided[runner] = true end
local function is_closed(runner)
  return avoided[runner] or redis.call('HEXISTS', drains, runner) == 1
end

local function has_labels(row)
  local labels = row.runner.labels
  for name, value in pairs(wish.runner_labels) do
    if labels[name] ~= value then return false end
  end
  return true
end

local any, offered, matched = false, false, false
local able = {}
local rows = redis.call('HGETALL', runners)
for at = 1, #rows, 2 do
  local runner = rows[at]
  if live(runner) then
    any = true
    local row = cjson.decode(rows[at + 1])
    if row.names[kernelspec] then
      offered = true
      if has_labels(row) then
        matched = true
        local used = load[runner] or 0
        if used < row.capacity and not is_closed(runner) then
          able[#able + 1] = { runner = runner, row = rows[at + 1], used = used / row.capacity }
        end
      end
    end
  end
end
if not any then return { 'NO_RUNNER' } end
if not offered then return { 'NO_SUCH_KERNELSPEC' } end
if not matched then return { 'NO_MATCHING_RUNNER' } end
if most > 0 and in_all >= most then return { 'TOO_MANY_KERNELS' } end
if most_of_user > 0 and wish.user ~= '' and (of_user[wish.user] or 0) >= most_of_user then
  return { 'TOO_MANY_KERNELS_OF_USER' }
end
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
local noted = expires .. ' ' .. chosen.runner .. ' ' .. reservation .. ' ' .. wish.user
redis.call('HSET', reserved, kernel, noted)
return { 'PLACE', chosen.row }

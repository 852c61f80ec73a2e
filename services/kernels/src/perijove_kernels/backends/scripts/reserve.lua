-- ARGV: lost_after, kernel, kernelspec in lower case, reservation, reserve_for, seed,
--       wish (JSON: user, runner_labels, avoid), most kernels, most of one user (0: any number),
--       whether to wait, since when it waits or '', most that wait, seconds after which one
--       that does not ask is taken for gone
-- Returns {'KERNEL', row, runner row, live}, {'PLACE', runner row}, {reason} or, if it is to
-- wait, {'WAIT', reason, place in the queue, length of the queue, since when}.
local kernel, kernelspec, reservation = ARGV[2], ARGV[3], ARGV[4]
local wish, most, most_of_user = cjson.decode(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local holder = owner_of(kernel)
if holder then
  leave_queue(kernel)
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
    leave_queue(kernel)
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

local present = {}
local rows = redis.call('HGETALL', runners)
for at = 1, #rows, 2 do
  if live(rows[at]) then
    local row = cjson.decode(rows[at + 1])
    present[#present + 1] = {
      runner = rows[at], row = rows[at + 1], names = row.names, labels = row.runner.labels,
      capacity = row.capacity, closed = redis.call('HEXISTS', drains, rows[at]) == 1,
    }
  end
end

-- Returns the runners with room for a wish, or nil and the reason why there is none.
local function look_for(wanted, spec)
  local offered, matched, able = false, false, {}
  local avoided = {}
  for _, runner in ipairs(wanted.avoid) do avoided[runner] = true end
  for _, one in ipairs(present) do
    if one.names[spec] then
      offered = true
      local fits = true
      for name, value in pairs(wanted.runner_labels) do
        if one.labels[name] ~= value then fits = false end
      end
      matched = matched or fits
      local used = load[one.runner] or 0
      if fits and used < one.capacity and not one.closed and not avoided[one.runner] then
        able[#able + 1] = { one = one, used = used / one.capacity }
      end
    end
  end
  if #present == 0 then return nil, 'NO_RUNNER' end
  if not offered then return nil, 'NO_SUCH_KERNELSPEC' end
  if not matched then return nil, 'NO_MATCHING_RUNNER' end
  if most > 0 and in_all >= most then return nil, 'TOO_MANY_KERNELS' end
  local users = of_user[wanted.user] or 0
  if most_of_user > 0 and wanted.user ~= '' and users >= most_of_user then
    return nil, 'TOO_MANY_KERNELS_OF_USER'
  end
  if #able == 0 then return nil, 'NO_CAPACITY' end
  return able
end

-- Who waits for longer, and could be served, has its place kept.
local since = ARGV[11]
local stood = redis.call('ZSCORE', queue, kernel)
if since == '' and stood then since = string.format('%.0f', tonumber(stood)) end
if since == '' then
  since = string.format('%.0f', tonumber(clock[1]) * 1000000 + tonumber(clock[2]))
end
local place, length = 1, 0
local queued = redis.call('ZRANGE', queue, 0, -1, 'WITHSCORES')
for at = 1, #queued, 2 do
  local other = queued[at]
  local ticket = cjson.decode(redis.call('HGET', waiting, other) or '{"asked":0}')
  if now - ticket.asked > tonumber(ARGV[13]) then
    leave_queue(other)
  elseif other ~= kernel then
    length = length + 1
    if tonumber(queued[at + 1]) < tonumber(since) then
      place = place + 1
      local able = look_for(ticket.wish, ticket.kernelspec)
      if able then
        table.sort(able, function(a, b) return a.used < b.used end)
        count(able[1].one.runner, ticket.wish.user)
      end
    end
  end
end

local able, reason = look_for(wish, kernelspec)
if not able then
  local worth_waiting = reason == 'NO_CAPACITY' or reason:find('^TOO_MANY')
  if ARGV[10] ~= '1' or not worth_waiting then
    leave_queue(kernel)
    return { reason }
  end
  if length >= tonumber(ARGV[12]) then
    leave_queue(kernel)
    return { 'QUEUE_FULL' }
  end
  redis.call('ZADD', queue, since, kernel)
  redis.call('HSET', waiting, kernel,
    cjson.encode({ asked = now, wish = wish, kernelspec = kernelspec }))
  return { 'WAIT', reason, place, length + 1, since }
end

-- The server gives every script the same sequence of random numbers otherwise.
math.randomseed(tonumber(ARGV[6]))
local first = table.remove(able, math.random(#able))
local chosen = first
if #able > 0 then
  local second = able[math.random(#able)]
  if second.used < first.used then chosen = second end
end
leave_queue(kernel)
redis.call('HDEL', gone, kernel)
redis.call('HDEL', ended, kernel)
local expires = string.format('%.3f', now + tonumber(ARGV[5]))
local noted = expires .. ' ' .. chosen.one.runner .. ' ' .. reservation .. ' ' .. wish.user
redis.call('HSET', reserved, kernel, noted)
return { 'PLACE', chosen.one.row }

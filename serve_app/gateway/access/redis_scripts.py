"""What Redis itself carries out for limits, each script whole or not at all.

A request needs one command, and is charged either to all of its scopes or to none. Each scope has five keys: requests
and tokens, to which the number of the minute is added, running requests, the month's tokens, and the month's price.
"""

from serve_app.gateway.access.budget import MONTH_KEPT_SECONDS
from serve_app.gateway.access.windows import MINUTE

LEASE_SECONDS = 45
"""When the running requests of a replica that died do not count any more, if it was the last to renew them."""
SETTLED_SECONDS = 3600
"""How long a replica's settled numbers are kept after its last one: longer than it tries to tell Redis."""
SETTLED_NUMBERS = 10_000
"""How many of them are kept: as many as a replica may have unsettled."""

_COUNTS = f"""
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local minute, second = math.floor(now / {MINUTE}), now % {MINUTE}
local function window(key)
  local previous = tonumber(redis.call('GET', key .. '/' .. minute - 1) or 0)
  local current = tonumber(redis.call('GET', key .. '/' .. minute) or 0)
  return {{previous, previous == 0 and 0 or math.floor(({MINUTE} - second) * 1000),
    current, math.floor((2 * {MINUTE} - second) * 1000)}}
end
local function left(read, limit)
  return limit - math.max(0, math.floor(read[1] * (read[2] / 1000) / {MINUTE}) + read[3])
end
local function count(key, amount)
  redis.call('INCRBY', key .. '/' .. minute, amount)
  redis.call('EXPIRE', key .. '/' .. minute, {2 * MINUTE + 1})
end
local function add(key, amount)
  redis.call('INCRBY', key, amount)
  redis.call('EXPIRE', key, {MONTH_KEPT_SECONDS})
end
local function charge(i, limits, tokens, micros)
  if limits[2] ~= 0 and tokens ~= 0 then count(KEYS[i + 2], tokens) end
  if limits[4] ~= 0 and tokens ~= 0 then add(KEYS[i + 4], tokens) end
  if limits[5] ~= 0 and micros ~= 0 then add(KEYS[i + 5], micros) end
end
local function settle(key, number)
  local fresh = redis.call('ZADD', key, 'NX', number, number) == 1
  redis.call('ZREMRANGEBYRANK', key, 0, -{SETTLED_NUMBERS + 1})
  redis.call('EXPIRE', key, {SETTLED_SECONDS})
  return fresh
end
local function limits_of(first, scope)
  local limits = {{unpack(ARGV, first + scope * 5, first + scope * 5 + 4)}}
  for i, limit in ipairs(limits) do limits[i] = tonumber(limit) end
  return limits
end
"""

ENTER = f"""
-- Looks at all scopes, and lets a request in, or reserves its charge, if all of them have room.
-- KEYS: five for each scope. ARGV: 'look', 'enter' or 'reserve'; the request's lease; tokens and price to reserve; then
-- for each scope its limits of requests, tokens, running requests, the month's tokens and price, 0 for none.
-- Returns how they stood, eleven numbers for each scope: both windows (count and milliseconds of the last minute, then
-- of this one), running requests, the month's tokens and price.
{_COUNTS}
local what, lease, tokens, micros = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local entering, open, answer, none = what == 'enter', what ~= 'look', {{}}, {{0, 0, 0, 0}}
local scopes = #KEYS / 5
for scope = 0, scopes - 1 do
  local k, limits = scope * 5, limits_of(5, scope)
  local of_requests, of_tokens, running, used, spent = none, none, 0, 0, 0
  if limits[1] ~= 0 then
    of_requests = window(KEYS[k + 1])
    open = open and (not entering or left(of_requests, limits[1]) > 0)
  end
  if limits[2] ~= 0 then
    of_tokens = window(KEYS[k + 2])
    open = open and left(of_tokens, limits[2]) > 0
  end
  if limits[3] ~= 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[k + 3], '-inf', now)
    running = redis.call('ZCARD', KEYS[k + 3])
    open = open and (not entering or running < limits[3])
  end
  if limits[4] ~= 0 then
    used = tonumber(redis.call('GET', KEYS[k + 4]) or 0)
    open = open and used < limits[4]
  end
  if limits[5] ~= 0 then
    spent = tonumber(redis.call('GET', KEYS[k + 5]) or 0)
    open = open and spent < limits[5]
  end
  for _, of_scope in ipairs({{of_requests, of_tokens, {{running, used, spent}}}}) do
    for _, number in ipairs(of_scope) do answer[#answer + 1] = number end
  end
end
if open then
  for scope = 0, scopes - 1 do
    local k, limits = scope * 5, limits_of(5, scope)
    if entering and limits[1] ~= 0 then count(KEYS[k + 1], 1) end
    if entering and limits[3] ~= 0 then
      redis.call('ZADD', KEYS[k + 3], now + {LEASE_SECONDS}, lease)
      redis.call('EXPIRE', KEYS[k + 3], {LEASE_SECONDS})
    end
    charge(k, limits, tokens, micros)
  end
end
return answer
"""

LEAVE = f"""
-- Ends a request that was let in: its leases end, and what it took beside its reservation counts, above limits too.
-- A replica numbers what it settles; a number that was settled, and whose answer got lost, does nothing a second time,
-- in whatever order they come. KEYS: five for each scope, then the replica's numbers. ARGV: the lease, tokens, price,
-- the number, the limits.
{_COUNTS}
local lease, tokens, micros, number = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local fresh = settle(KEYS[#KEYS], number)
for scope = 0, (#KEYS - 1) / 5 - 1 do
  local k, limits = scope * 5, limits_of(5, scope)
  if limits[3] ~= 0 then redis.call('ZREM', KEYS[k + 3], lease) end
  if fresh then charge(k, limits, tokens, micros) end
end
"""

RENEW = f"""
-- Leases last as if they were new; those that are not there count from now on.
-- KEYS: running requests of one scope. ARGV: leases.
local till = tonumber(redis.call('TIME')[1]) + {LEASE_SECONDS}
for _, lease in ipairs(ARGV) do
  redis.call('ZADD', KEYS[1], till, lease)
end
redis.call('EXPIRE', KEYS[1], {LEASE_SECONDS})
"""

ADD = f"""
-- Adds to months, once for a number as LEAVE has it. KEYS: the replica's numbers, then months. ARGV: the number, then
-- what to add to each.
{_COUNTS}
if not settle(KEYS[1], ARGV[1]) then return end
for i = 2, #KEYS do
  redis.call('INCRBY', KEYS[i], ARGV[i])
  redis.call('EXPIRE', KEYS[i], {MONTH_KEPT_SECONDS})
end
"""

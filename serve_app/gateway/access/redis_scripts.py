"""What Redis itself carries out for limits, each script whole or not at all.

So a request needs one command instead of one for each count, and is charged either to all of its scopes or to none.
Each scope has four keys:

- counts: a hash of the windows (`windows` has their arithmetic), the sums of what running requests reserve, and for
  each of those its lease with its own reservation, `TOKENS COST`;
- leases: a sorted set, lease -> when it ends unless it is renewed, in seconds since 1970;
- expired: the same of leases that ended so, because their replica died or could not reach Redis. They reserve nothing
  any more, but may still be settled;
- month: a hash of the month's tokens and cost.

A request is charged when its lease is settled, once: another command for the same lease finds no lease.
"""

from serve_app.gateway.access.months import MONTH_KEPT_SECONDS
from serve_app.gateway.access.windows import MINUTE, MINUTE_MS

LEASE_SECONDS = 45
"""When a request of a replica that died holds nothing any more, counted from the last renewal."""
SETTLED_WITHIN_SECONDS = 3600
"""How long Redis may be out of a replica's reach without a request being charged twice or not at all."""

CLOCK = "redis.call('TIME')"

_COMMON = f"""
local time = {CLOCK}
local now, minute = tonumber(time[1]), math.floor(time[1] / {MINUTE})
local left_ms = {MINUTE_MS} - (now % {MINUTE}) * 1000 - math.floor(time[2] / 1000)

-- A scope's counts of this minute: minute, requests before and now, tokens before and now, reserved tokens and cost;
-- and whether the minute has just begun for it.
local function read(key)
  local c = redis.call('HMGET', key, 'minute', 'requests_before', 'requests', 'tokens_before', 'tokens',
    'reserved_tokens', 'reserved_cost')
  for i = 1, 7 do
    c[i] = tonumber(c[i] or 0)
  end
  if c[1] ~= minute then
    local follows = c[1] == minute - 1
    c[2], c[4] = follows and c[3] or 0, follows and c[5] or 0
    c[1], c[3], c[5], c[8] = minute, 0, 0, true
  end
  return c
end

local function write(key, c, leases)
  redis.call('HSET', key, 'minute', c[1], 'requests_before', c[2], 'requests', c[3], 'tokens_before', c[4],
    'tokens', c[5], 'reserved_tokens', c[6], 'reserved_cost', c[7])
  if c[8] then  -- once a minute is enough, and cheaper
    redis.call('EXPIRE', key, {3 * MINUTE})
    redis.call('EXPIRE', leases, {3 * MINUTE})
  end
end

-- Changes a lease's reservation; a new lease has none.
local function reserve(key, c, lease, tokens, cost, new)
  local held = not new and c[6] + c[7] > 0 and redis.call('HGET', key, lease)
  if held then
    local held_tokens, held_cost = string.match(held, '(%d+) (%d+)')
    c[6], c[7] = math.max(0, c[6] - held_tokens), math.max(0, c[7] - held_cost)
  end
  if tokens > 0 or cost > 0 then
    c[6], c[7] = c[6] + tokens, c[7] + cost
    redis.call('HSET', key, lease, string.format('%.0f %.0f', tokens, cost))
  elseif held then
    redis.call('HDEL', key, lease)
  end
end

local function expire(key, c, leases, expired)
  local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 1000)
  for _, lease in ipairs(ended) do
    redis.call('ZREM', leases, lease)
    reserve(key, c, lease, 0, 0)
    redis.call('ZREMRANGEBYSCORE', expired, '-inf', now)
    redis.call('ZADD', expired, now + {SETTLED_WITHIN_SECONDS}, lease)
    redis.call('EXPIRE', expired, {SETTLED_WITHIN_SECONDS})
  end
  return #ended > 0
end

-- Makes a lease last as long as a new one, and tells whether it is one.
local function renew(leases, lease)
  return redis.call('ZADD', leases, now + {LEASE_SECONDS}, lease) == 1
end
"""

ENTER = f"""
-- Looks at all scopes; then lets a request in, or reserves for one that is in, if all scopes do.
-- KEYS: four for each scope. ARGV: 'look', 'enter' or 'reserve'; the lease, and the tokens and the cost that it is to
-- reserve; then for each scope whether it has leases (1, 0), and its limits of requests, tokens, running requests, the
-- month's tokens and its cost, 0 for none.
-- Returns the milliseconds left of this minute; then for each scope how it stood, nine numbers: requests before and
-- now, tokens before and now, running requests, the month's tokens and cost, reserved tokens and cost. If they leave
-- room, by the arithmetic of `LimitState`, then the request was let in, or has reserved. One that cannot reserve is
-- taken out.
{_COMMON}
local mode, lease, tokens, cost = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local open, answer, counts = mode ~= 'look', {{left_ms}}, {{}}
for i = 0, #KEYS / 4 - 1 do
  local key, leases, expired, month = unpack(KEYS, i * 4 + 1, i * 4 + 4)
  local limits = {{}}
  for n = 1, 6 do
    limits[n] = tonumber(ARGV[i * 6 + 4 + n])
  end
  local has_leases, of_requests, of_tokens, of_running, of_month, of_cost = unpack(limits)
  local c, changed, running, used = read(key), false, 0, {{0, 0}}
  if has_leases == 1 then
    changed = expire(key, c, leases, expired)
    running = redis.call('ZCARD', leases)
    c[8] = c[8] or running == 0  -- a new set has no end yet
  end
  if of_month > 0 or of_cost > 0 then
    used = redis.call('HMGET', month, 'tokens', 'cost')
    used = {{tonumber(used[1] or 0), tonumber(used[2] or 0)}}
  end
  if mode == 'enter' then
    open = open and (of_requests == 0 or math.floor(c[2] * left_ms / {MINUTE_MS}) + c[3] < of_requests)
      and (of_running == 0 or running < of_running)
  end
  open = open and (of_tokens == 0 or math.floor(c[4] * left_ms / {MINUTE_MS}) + c[5] + c[6] < of_tokens)
    and (of_month == 0 or used[1] + c[6] < of_month) and (of_cost == 0 or used[2] + c[7] < of_cost)
  for _, number in ipairs({{c[2], c[3], c[4], c[5], running, used[1], used[2], c[6], c[7]}}) do
    answer[#answer + 1] = number
  end
  counts[i] = {{key, leases, c, changed, has_leases == 1, of_requests > 0}}
end
for i = 0, #KEYS / 4 - 1 do
  local key, leases, c, changed, has_leases, counts_requests = unpack(counts[i])
  if open then
    if counts_requests and mode == 'enter' then
      c[3] = c[3] + 1
    end
    if has_leases then
      reserve(key, c, lease, tokens, cost, renew(leases, lease))
    end
  elseif mode == 'reserve' then
    if counts_requests then
      c[3] = math.max(0, c[3] - 1)
    end
    if redis.call('ZREM', leases, lease) == 1 then
      reserve(key, c, lease, 0, 0)
    end
  end
  if open or changed or mode == 'reserve' then
    write(key, c, leases)
  end
end
return answer
"""

SETTLE = f"""
-- Ends a request: its lease and reservation end, and what it took counts, also above the limits. Does nothing where
-- that was done before.
-- KEYS: four for each scope that has leases. ARGV: the lease, the tokens and the cost; then for each scope whether it
-- limits those (1, 0).
{_COMMON}
local lease, tokens, cost = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 0, #KEYS / 4 - 1 do
  local key, leases, expired, month = unpack(KEYS, i * 4 + 1, i * 4 + 4)
  local c, there = read(key), redis.call('ZREM', leases, lease) == 1
  if there then
    reserve(key, c, lease, 0, 0)
  end
  if there or redis.call('ZREM', expired, lease) == 1 then
    if ARGV[4 + i] == '1' then
      c[5] = c[5] + tokens
      local first = tokens > 0 and redis.call('HINCRBY', month, 'tokens', tokens) == tokens
      first = cost > 0 and redis.call('HINCRBY', month, 'cost', cost) == cost or first
      if first then
        redis.call('EXPIRE', month, {MONTH_KEPT_SECONDS})
      end
    end
    write(key, c, leases)
  end
end
"""

RENEW = f"""
-- Leases last as if they were new; those that are not there count from now on.
-- KEYS: the first three of one scope. ARGV: lease, tokens and cost, over and over.
{_COMMON}
local key, leases, expired = unpack(KEYS)
local c = read(key)
for i = 1, #ARGV, 3 do
  local new = renew(leases, ARGV[i])
  if new then
    redis.call('ZREM', expired, ARGV[i])
  end
  reserve(key, c, ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), new)
end
c[8] = true
write(key, c, leases)
"""

ADD = f"""
-- Adds to months what a replica counted by itself. Does nothing where that was done before.
-- KEYS: a name for this addition, then months. ARGV: tokens and cost of each.
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', {SETTLED_WITHIN_SECONDS}) then
  for i = 2, #KEYS do
    redis.call('HINCRBY', KEYS[i], 'tokens', ARGV[i * 2 - 3])
    redis.call('HINCRBY', KEYS[i], 'cost', ARGV[i * 2 - 2])
    redis.call('EXPIRE', KEYS[i], {MONTH_KEPT_SECONDS})
  end
end
"""

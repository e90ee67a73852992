"""What Redis itself carries out for limits, each script whole or not at all.

The sliding windows are counted by the scripts of the library `limits`. Here they are parts of larger ones, so that a
request needs one command instead of one for each window, and is charged either to all of its scopes or to none.

Each scope has six keys: this minute's and the last minute's requests, the same of tokens, running requests, and the
month's tokens.
"""

from limits.aio.storage.redis.bridge import RedisBridge

from serve_app.gateway.access.budget import MONTH_KEPT_SECONDS
from serve_app.gateway.access.windows import MINUTE, UNLIMITED

LEASE_SECONDS = 45
"""When the running requests of a replica that died do not count any more, if it was the last to renew them."""

_WINDOWS = f"""
local function window(current, previous)
  local KEYS, ARGV = {{previous, current}}, {{{MINUTE}}}
  {RedisBridge.SCRIPT_SLIDING_WINDOW.decode()}
end
local function charge(current, previous, amount)
  local KEYS, ARGV = {{previous, current}}, {{{UNLIMITED}, {MINUTE}, amount}}
  {RedisBridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()}
end
"""

ENTER = f"""
-- Looks at all scopes, and lets a request in if all of them do.
-- KEYS: six for each scope. ARGV: the request's lease, or '' to look only; then for each scope its limits of requests,
-- tokens, running requests and the month's tokens, 0 for none.
-- Returns how they stood, ten numbers for each scope: both windows (count and milliseconds of the last minute, then of
-- this one), running requests, the month's tokens. If they leave room, by the arithmetic here, then it was let in.
{_WINDOWS}
local function read(current, previous)
  local read = window(current, previous)
  for i = 1, 4 do
    read[i] = math.max(0, tonumber(read[i] or 0))
  end
  return read, math.floor(read[1] * (read[2] / 1000) / {MINUTE}) + read[3]
end
local lease, now = ARGV[1], tonumber(redis.call('TIME')[1])
local open, answer, none = lease ~= '', {{}}, {{0, 0, 0, 0}}
for i = 0, #KEYS / 6 - 1 do
  local k, requests, tokens = i * 6, none, none
  local of_requests, of_tokens, of_running, of_month = unpack(ARGV, i * 4 + 2, i * 4 + 5)
  local count, running, used = 0, 0, 0
  if of_requests ~= '0' then
    requests, count = read(KEYS[k + 1], KEYS[k + 2])
    open = open and count < tonumber(of_requests)
  end
  if of_tokens ~= '0' then
    tokens, count = read(KEYS[k + 3], KEYS[k + 4])
    open = open and count < tonumber(of_tokens)
  end
  if of_running ~= '0' then
    redis.call('ZREMRANGEBYSCORE', KEYS[k + 5], '-inf', now)
    running = redis.call('ZCARD', KEYS[k + 5])
    open = open and running < tonumber(of_running)
  end
  if of_month ~= '0' then
    used = tonumber(redis.call('GET', KEYS[k + 6]) or 0)
    open = open and used < tonumber(of_month)
  end
  for _, of_scope in ipairs({{requests, tokens, {{running, used}}}}) do
    for _, number in ipairs(of_scope) do
      answer[#answer + 1] = number
    end
  end
end
if open then
  for i = 0, #KEYS / 6 - 1 do
    if ARGV[i * 4 + 2] ~= '0' then
      charge(KEYS[i * 6 + 1], KEYS[i * 6 + 2], 1)
    end
    if ARGV[i * 4 + 4] ~= '0' then
      redis.call('ZADD', KEYS[i * 6 + 5], now + {LEASE_SECONDS}, lease)
      redis.call('EXPIRE', KEYS[i * 6 + 5], {LEASE_SECONDS})
    end
  end
end
return answer
"""

LEAVE = f"""
-- Ends a request that was let in: its leases end, and its tokens count, also above the limits.
-- KEYS: six for each scope. ARGV: the lease, the tokens, then the limits as for ENTER.
{_WINDOWS}
local tokens = tonumber(ARGV[2])
for i = 0, #KEYS / 6 - 1 do
  local _, of_tokens, of_running, of_month = unpack(ARGV, i * 4 + 3, i * 4 + 6)
  if of_running ~= '0' then
    redis.call('ZREM', KEYS[i * 6 + 5], ARGV[1])
  end
  if of_tokens ~= '0' and tokens > 0 then
    charge(KEYS[i * 6 + 3], KEYS[i * 6 + 4], tokens)
  end
  if of_month ~= '0' and tokens > 0 then
    redis.call('INCRBY', KEYS[i * 6 + 6], tokens)
    redis.call('EXPIRE', KEYS[i * 6 + 6], {MONTH_KEPT_SECONDS})
  end
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
-- Adds tokens to months. KEYS: months' tokens. ARGV: tokens of each.
for i, key in ipairs(KEYS) do
  redis.call('INCRBY', key, ARGV[i])
  redis.call('EXPIRE', key, {MONTH_KEPT_SECONDS})
end
"""

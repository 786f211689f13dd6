-- What every script begins with. ARGV: prefix, a test's time or 0, 5 settings; then what the script itself takes, from BASE on.
local PREFIX = ARGV[1]
local TTL, MOST, MOST_BYTES = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local HISTORY, PER_USER = tonumber(ARGV[6]), tonumber(ARGV[7])
local BASE = 8

-- The first of what a script answers. The same numbers are in scripts.rs.
local DONE, SUPERSEDED, UNKNOWN, OVERFLOW, GAP, TOO_MANY = 0, 1, 2, 3, 4, 5

local clock = redis.call('TIME')
local now = tonumber(ARGV[2])
if now == 0 then now = clock[1] * 1000 + math.floor(clock[2] / 1000) end

local function key(kind, name) return PREFIX .. ':' .. kind .. ':' .. name end
local EXPIRIES, TOTALS, ENDED = PREFIX .. ':expiries', PREFIX .. ':totals', PREFIX .. ':ended'

-- As digits: what Lua makes of big numbers by itself has an exponent.
local function int(number) return string.format('%.0f', number) end

-- Who is to hear of what the script did; each once.
local news, named = {}, {}
local function tell(id)
    if not named[id] then
        named[id] = true
        news[#news + 1] = id
    end
end

-- How many more messages wait in all outboxes.
local waiting = 0

-- Ends what changes outboxes.
local function finish()
    if waiting ~= 0 then redis.call('HINCRBY', TOTALS, 'waiting', int(waiting)) end
    for first = 1, #news, 1000 do
        redis.call('PUBLISH', PREFIX .. ':news', table.concat(news, '', first, math.min(first + 999, #news)))
    end
end

-- Why a session that is not there is not.
local function gone(id)
    local till = redis.call('GET', key('overflown', id))
    if till and tonumber(till) > now then return OVERFLOW end
    return UNKNOWN
end

-- DONE and the session, if the lease stands.
local function held(id, epoch)
    local s = redis.call('HMGET', key('session', id),
        'epoch', 'connected', 'received', 'sent', 'acked', 'forgotten')
    if not s[1] then return gone(id) end
    -- A lease that Redis has yet to give: it came back with less than it had.
    if tonumber(epoch) > tonumber(s[1]) then return UNKNOWN end
    if s[1] ~= epoch then return SUPERSEDED end
    return DONE, { connected = s[2] == '1', received = tonumber(s[3]), sent = tonumber(s[4]),
        acked = tonumber(s[5]), forgotten = tonumber(s[6]) }
end

local function keep(id) redis.call('ZADD', EXPIRIES, int(now + TTL + math.floor(TTL / 4)), id) end

-- Ends a session: nothing of it is left. Answers who it was: alias, user or false, rooms.
local function remove(id)
    local s = redis.call('HMGET', key('session', id), 'alias', 'user', 'sent', 'acked')
    if not s[1] then return nil end
    local rooms = redis.call('ZRANGE', key('rooms', id), 0, -1)
    for _, room in ipairs(rooms) do redis.call('ZREM', key('members', room), id) end
    redis.call('UNLINK', key('session', id), key('outbox', id), key('rooms', id))
    redis.call('ZREM', EXPIRIES, id)
    if s[2] then redis.call('SREM', key('user', s[2]), id) end
    waiting = waiting - (s[3] - s[4])
    tell(id)
    return { s[1], s[2], rooms }
end

-- Ends a session that no call of "end" ended: it is reported later.
local function remove_and_report(id)
    local ended = remove(id)
    if ended then redis.call('RPUSH', ENDED, cmsgpack.pack(ended)) end
end

-- The client has everything up to this number. Each message says how many bytes were sent with it and before.
local function forget(id, s, up_to)
    up_to = math.min(up_to, s.sent)
    if up_to <= s.acked then return end
    local last = redis.call('XRANGE', key('outbox', id), int(up_to) .. '-0', int(up_to) .. '-0')
    redis.call('HSET', key('session', id), 'acked', int(up_to), 'forgotten', last[1][2][6])
    redis.call('XTRIM', key('outbox', id), 'MINID', '=', int(up_to + 1) .. '-0')
    waiting = waiting - (up_to - s.acked)
end

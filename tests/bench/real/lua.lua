-- What bench has Lua do; the argument is the amount of work in per cent.
local percent = tonumber(arg[1]) or 100
local sum = 0

local function mix(v) sum = (sum * 31 + v) % 4294967296 end

local function times(n) return math.max(1, n * percent // 100) end

local function random(state) -- a generator of our own, so that all hosts agree
    return (state * 1103515245 + 12345) & 0x7fffffff
end

local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end

local function queens(n, row, columns, left, right)
    if row == n then return 1 end
    local count = 0
    for c = 1, n do
        if not (columns[c] or left[row + c] or right[row - c + n]) then
            columns[c], left[row + c], right[row - c + n] = true, true, true
            count = count + queens(n, row + 1, columns, left, right)
            columns[c], left[row + c], right[row - c + n] = nil, nil, nil
        end
    end
    return count
end

local function words(seed)
    local counts, list = {}, {}
    for _ = 1, 400 do
        local w = {}
        for i = 1, 3 do
            seed = random(seed)
            w[i] = string.char(97 + (seed >> 8) % 6)
        end
        w = table.concat(w)
        if not counts[w] then list[#list + 1] = w end
        counts[w] = (counts[w] or 0) + 1
    end
    table.sort(list, function(a, b)
        if counts[a] ~= counts[b] then return counts[a] > counts[b] end
        return a < b
    end)
    for i = 1, 10 do mix(list[i]:byte() * counts[list[i]]) end
    return seed
end

local function text()
    local out = {}
    for i = 1, 60 do out[i] = string.format("%05d %x %s %5.2f", i * 37, i * i, ("ab"):rep(i % 5), i / 7) end
    local all = table.concat(out, "\n")
    local _, digits = all:gsub("%d+", function(d) return d:reverse() end)
    mix(digits)
    for k, v in all:gmatch("(%x+) (a?b?)") do mix(#k + #v) end
    mix(#all:upper():gsub("AB", "-"))
end

local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Point) end
function Point:length2() return self.x * self.x + self.y * self.y end

local function objects()
    local p, step = setmetatable({x = 0, y = 0}, Point), setmetatable({x = 1.5, y = -0.25}, Point)
    for _ = 1, 400 do p = p + step end
    mix(p:length2() // 1)
end

local function matrix(n)
    local a, b, c = {}, {}, {}
    for i = 1, n do
        a[i], b[i], c[i] = {}, {}, {}
        for j = 1, n do a[i][j], b[i][j] = i + j, i - j end
    end
    for i = 1, n do
        local ai, ci = a[i], c[i]
        for j = 1, n do
            local s = 0
            for k = 1, n do s = s + ai[k] * b[k][j] end
            ci[j] = s
        end
    end
    mix(c[n][1] % 65536)
end

local function closures()
    local function counter()
        local n = 0
        return function(by) n = n + by; return n end
    end
    local c = counter()
    local list = {}
    for i = 1, 300 do list[i] = function(x) return c(x) + i end end
    for i = 1, 300 do mix(list[i](i & 3)) end
end

local seed = 42
for _ = 1, times(30) do
    mix(fib(16))
    mix(queens(6, 0, {}, {}, {}))
    seed = words(seed)
    text()
    objects()
    matrix(24)
    closures()
end
print(string.format("lua %d %d", percent, sum))

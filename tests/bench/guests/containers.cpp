// containers.cpp - the C++ library's containers and algorithms: vector, string, map, unordered_map,
// deque, priority_queue, sort, lower_bound, lambdas, a small template matrix.
#include "bench.h"
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <numeric>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

template <typename T, size_t N> struct Matrix {
    std::array<std::array<T, N>, N> m{};
    Matrix operator*(const Matrix &o) const {
        Matrix r;
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++)
                for (size_t k = 0; k < N; k++) r.m[i][j] += m[i][k] * o.m[k][j];
        return r;
    }
};

std::string word(uint32_t &seed) {
    std::string s;
    for (uint32_t length = 3 + (bench_random(&seed) >> 29); length--;)
        s.push_back(char('a' + (bench_random(&seed) >> 10) % 5));
    return s;
}

uint64_t words(uint32_t &seed) {
    std::map<std::string, int> ordered;
    std::unordered_map<std::string, std::vector<int>> places;
    for (int i = 0; i < 250; i++) {
        std::string w = word(seed);
        ordered[w]++;
        places[w].push_back(i);
    }
    uint64_t sum = 0;
    for (const auto &[w, count] : ordered) {
        const auto &at = places.at(w);
        sum = bench_mix(sum, uint64_t(std::accumulate(at.begin(), at.end(), count)) + w.size());
    }
    return sum;
}

struct Task {
    uint32_t due, cost;
    bool operator<(const Task &o) const { return due != o.due ? due > o.due : cost > o.cost; }
};

uint64_t schedule(uint32_t &seed) {
    std::priority_queue<Task> queue;
    std::deque<uint32_t> recent;
    uint64_t sum = 0;
    for (int i = 0; i < 300; i++) {
        uint32_t r = bench_random(&seed);
        queue.push({r >> 16, r & 255});
        if ((r & 3) == 0 && queue.size() > 2) {
            Task t = queue.top();
            queue.pop();
            recent.push_back(t.due);
            if (recent.size() > 16) recent.pop_front();
            sum += t.cost + *std::max_element(recent.begin(), recent.end());
        }
    }
    return sum;
}

uint64_t numbers(uint32_t &seed) {
    std::vector<uint32_t> v(500);
    std::generate(v.begin(), v.end(), [&] { return bench_random(&seed) >> 12; });
    std::vector<uint32_t> by_low(v);
    std::sort(v.begin(), v.end());
    std::stable_sort(by_low.begin(), by_low.end(),
                     [](uint32_t a, uint32_t b) { return (a & 255) < (b & 255); });
    uint64_t sum = 0;
    for (uint32_t x = 0; x < 1u << 20; x += 1u << 13)
        sum = sum * 3 + uint64_t(std::lower_bound(v.begin(), v.end(), x) - v.begin());
    v.erase(std::remove_if(v.begin(), v.end(), [](uint32_t x) { return x % 3 == 0; }), v.end());
    return bench_mix(sum, v.size() + by_low[250]);
}

} // namespace

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 650), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = uint32_t(sum) | 1;
        sum = bench_mix(sum, words(seed));
        sum = bench_mix(sum, schedule(seed));
        sum = bench_mix(sum, numbers(seed));
        Matrix<uint32_t, 8> a;
        for (auto &row : a.m)
            for (auto &x : row) x = bench_random(&seed);
        sum = bench_mix(sum, (a * a * a).m[3][5]);
    }
    return bench_report("containers", n, sum);
}

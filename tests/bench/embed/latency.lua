-- For wrk: one line with what a server's user wants to know.
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "requests/s %.0f; latency in us: p50 %.0f, p90 %.0f, p99 %.0f, p99.9 %.0f; " ..
        "failed: %d connect, %d read, %d write, %d timeout, %d status\n",
        summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(90),
        latency:percentile(99), latency:percentile(99.9), errors.connect, errors.read, errors.write,
        errors.timeout, errors.status))
end

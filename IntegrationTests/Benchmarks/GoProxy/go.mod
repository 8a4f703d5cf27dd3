module wunderproxy/benchmarks/goproxy

go 1.19

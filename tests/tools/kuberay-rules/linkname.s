// Without an assembly file the compiler refuses functions that have no body, which go:linkname provides.

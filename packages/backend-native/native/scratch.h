// Working memory of the kernels: aligned, and kept between calls so that the same pages serve again.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace nimue {

/** 64-byte aligned, not cleared. Null only when the system has no memory left. */
void* takeScratch(size_t bytes);
void returnScratch(void* memory, size_t bytes);
/** Bytes that are kept for later calls. */
size_t idleScratchBytes();
/** Most scratch bytes ever in use at a time since the last call of this function. */
size_t takeScratchPeak();

}  // namespace nimue

namespace {

/** `count` floats (or 32-bit integers) for the life of this object. */
template <typename T>
class Scratch {
 public:
  explicit Scratch(int64_t count) : bytes_(static_cast<size_t>(count > 0 ? count : 1) * sizeof(T)) {
    memory_ = static_cast<T*>(nimue::takeScratch(bytes_));
  }
  ~Scratch() { nimue::returnScratch(memory_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  operator T*() const { return memory_; }

 private:
  T* memory_;
  size_t bytes_;
};

}  // namespace

// Reads the arguments of one call from JavaScript in order. Every array's type and length is checked here once more, so
// that no mistake in a caller can make a kernel read or write outside its buffers.
#pragma once
#include <node_api.h>
#include <stdint.h>
#include <stdio.h>

namespace nimue {

class Call {
 public:
  static constexpr size_t MAX_ARGUMENTS = 40;

  Call(napi_env env, napi_callback_info info, const char* function) : env_(env), function_(function) {
    count_ = MAX_ARGUMENTS;
    if (napi_get_cb_info(env, info, &count_, arguments_, nullptr, nullptr) != napi_ok) fail("arguments", "readable", "none");
  }

  bool failed() const { return failed_; }
  napi_env env() const { return env_; }

  double number() {
    double value = 0;
    if (next_ >= count_ || napi_get_value_double(env_, arguments_[next_], &value) != napi_ok) fail("argument", "a number", "something else");
    next_++;
    return value;
  }

  /** A size or an index: a whole number from 0 on. */
  int64_t size() {
    const double value = number();
    if (!(value >= 0 && value <= 9007199254740991.0) || value != static_cast<double>(static_cast<int64_t>(value))) {
      fail("argument", "a whole number ≥ 0", "another number");
      return 0;
    }
    return static_cast<int64_t>(value);
  }

  bool boolean() { return number() != 0; }

  float* floats(int64_t length) { return static_cast<float*>(array(napi_float32_array, "Float32Array", length, false)); }
  float* optionalFloats(int64_t length) { return static_cast<float*>(array(napi_float32_array, "Float32Array", length, true)); }
  int32_t* integers(int64_t length) { return static_cast<int32_t*>(array(napi_int32_array, "Int32Array", length, false)); }
  int32_t* optionalIntegers(int64_t length) { return static_cast<int32_t*>(array(napi_int32_array, "Int32Array", length, true)); }

  double* doubles(int64_t length) { return static_cast<double*>(array(napi_float64_array, "Float64Array", length, false)); }

  uint8_t* optionalBytes(int64_t length) { return static_cast<uint8_t*>(array(napi_uint8_array, "Uint8Array", length, true)); }

  /** Length of the typed array that comes next, which is not consumed; 0 when there is none. */
  int64_t peekLength() {
    size_t length = 0;
    napi_typedarray_type type;
    if (next_ >= count_ || napi_get_typedarray_info(env_, arguments_[next_], &type, &length, nullptr, nullptr, nullptr) != napi_ok) return 0;
    return static_cast<int64_t>(length);
  }

  napi_value value() { return next_ < count_ ? arguments_[next_++] : nullptr; }

  void fail(const char* what, const char* expected, const char* got) {
    if (failed_) return;
    failed_ = true;
    char message[256];
    snprintf(message, sizeof message, "native %s: %s %zu: expected %s, got %s", function_, what, next_, expected, got);
    napi_throw_type_error(env_, nullptr, message);
  }

 private:
  void* array(napi_typedarray_type wanted, const char* name, int64_t length, bool optional) {
    static float nothing[16];
    if (next_ >= count_) {
      fail("argument", name, "nothing");
      return nullptr;
    }
    napi_value argument = arguments_[next_];
    if (optional) {
      napi_valuetype kind;
      if (napi_typeof(env_, argument, &kind) == napi_ok && (kind == napi_undefined || kind == napi_null)) {
        next_++;
        return nullptr;
      }
    }
    napi_typedarray_type type;
    size_t actual = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, argument, &type, &actual, &data, nullptr, nullptr) != napi_ok || type != wanted) {
      fail("argument", name, "another type");
    } else if (static_cast<int64_t>(actual) != length) {
      char expected[64], got[32];
      snprintf(expected, sizeof expected, "%s of length %lld", name, static_cast<long long>(length));
      snprintf(got, sizeof got, "length %zu", actual);
      fail("argument", expected, got);
    }
    next_++;
    return actual == 0 ? nothing : data;
  }

  napi_env env_;
  const char* function_;
  napi_value arguments_[MAX_ARGUMENTS];
  size_t count_ = 0, next_ = 0;
  bool failed_ = false;
};

}  // namespace nimue

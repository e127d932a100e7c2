// Runs numbered tasks on the caller and a few sleeping threads. Which thread runs a task never changes a result:
// every kernel cuts its work into slices that depend on sizes alone.
#pragma once
#include <stdint.h>

namespace nimue {

/** Most tasks that one call may be cut into. */
constexpr int MAX_TASKS = 1 << 20;

using TaskFunction = void (*)(void* context, int task);

/** Runs task 0 … numTasks − 1 and returns when all are done. A pool that is busy for another caller is not waited for. */
void runTasks(int numTasks, TaskFunction function, void* context);

/** Threads that take part from now on, the caller included. */
void setNumThreads(int count);
int numThreads();

}  // namespace nimue

namespace {

/** `body(task)` for 0 … numTasks − 1, in any order. */
template <typename Body>
static void parallelFor(int numTasks, const Body& body) {
  if (numTasks == 1) return body(0);
  nimue::runTasks(
      numTasks, [](void* context, int task) { (*static_cast<const Body*>(context))(task); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/** `body(begin, end)` over 0 … count − 1 in slices of `slice`. */
template <typename Body>
static void parallelSlices(int64_t count, int64_t slice, const Body& body) {
  if (count <= 0) return;
  while ((count + slice - 1) / slice > nimue::MAX_TASKS) slice *= 2;
  parallelFor(static_cast<int>((count + slice - 1) / slice), [&](int task) {
    const int64_t begin = task * slice;
    body(begin, begin + slice < count ? begin + slice : count);
  });
}

}  // namespace

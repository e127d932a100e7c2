#include "thread-pool.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace nimue {
namespace {

constexpr int MAX_THREADS = 64;
/** How long an idle worker watches for the next job before it sleeps: longer than JavaScript needs between two ops. */
constexpr auto SPIN_TIME = std::chrono::microseconds(150);

inline void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/**
 * A ticket holds epoch, number of tasks and next task in one word, so that taking a task is one compare-and-swap that
 * fails when the job has changed. Function and context are read after the ticket is won: the job cannot end before then.
 */
struct Pool {
  std::mutex owner;
  std::mutex spawning;
  std::atomic<uint64_t> ticket{0};
  std::atomic<uint32_t> wake{0};
  std::atomic<uint32_t> remaining{0};
  std::atomic<int> limit{1};
  int spawned = 1;
  TaskFunction function = nullptr;
  void* context = nullptr;
};

constexpr uint64_t ticketOf(uint32_t epoch, uint32_t numTasks, uint32_t next) {
  return (static_cast<uint64_t>(epoch & 0x3fffff) << 42) | (static_cast<uint64_t>(numTasks) << 21) | next;
}
constexpr uint32_t numTasksOf(uint64_t ticket) { return (ticket >> 21) & 0x1fffff; }
constexpr uint32_t nextOf(uint64_t ticket) { return ticket & 0x1fffff; }

/** Outlives every thread: never destroyed. */
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

thread_local bool insideTask = false;

bool takeTasks(Pool& p) {
  bool worked = false;
  uint64_t ticket = p.ticket.load(std::memory_order_acquire);
  while (nextOf(ticket) < numTasksOf(ticket)) {
    if (!p.ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    p.function(p.context, static_cast<int>(nextOf(ticket)));
    if (p.remaining.fetch_sub(1, std::memory_order_acq_rel) == 1) p.remaining.notify_all();
    worked = true;
    ticket = p.ticket.load(std::memory_order_acquire);
  }
  return worked;
}

void work(int index) {
  Pool& p = pool();
  insideTask = true;
  for (;;) {
    const uint32_t seen = p.wake.load(std::memory_order_acquire);
    bool worked = index < p.limit.load(std::memory_order_relaxed) && takeTasks(p);
    if (worked) continue;
    const auto start = std::chrono::steady_clock::now();
    while (p.wake.load(std::memory_order_acquire) == seen) {
      for (int i = 0; i < 32; i++) pauseBriefly();
      if (std::chrono::steady_clock::now() - start > SPIN_TIME) {
        p.wake.wait(seen, std::memory_order_acquire);
        break;
      }
    }
  }
}

}  // namespace

void setNumThreads(int count) {
  Pool& p = pool();
  if (count < 1) count = 1;
  if (count > MAX_THREADS) count = MAX_THREADS;
  std::lock_guard<std::mutex> guard(p.spawning);
  while (p.spawned < count) {
    try {
      std::thread(work, p.spawned).detach();
    } catch (...) {
      count = p.spawned;
      break;
    }
    p.spawned++;
  }
  p.limit.store(count);
}

int numThreads() { return pool().limit.load(); }

void runTasks(int numTasks, TaskFunction function, void* context) {
  if (numTasks <= 0) return;
  Pool& p = pool();
  if (numTasks == 1 || insideTask || p.limit.load(std::memory_order_relaxed) == 1 || !p.owner.try_lock()) {
    for (int task = 0; task < numTasks; task++) function(context, task);
    return;
  }
  p.function = function;
  p.context = context;
  p.remaining.store(static_cast<uint32_t>(numTasks), std::memory_order_relaxed);
  const uint32_t epoch = static_cast<uint32_t>(p.ticket.load(std::memory_order_relaxed) >> 42) + 1;
  p.ticket.store(ticketOf(epoch, static_cast<uint32_t>(numTasks), 0), std::memory_order_release);
  p.wake.fetch_add(1, std::memory_order_acq_rel);
  p.wake.notify_all();
  insideTask = true;
  takeTasks(p);
  insideTask = false;
  for (int spins = 0;; spins++) {
    const uint32_t left = p.remaining.load(std::memory_order_acquire);
    if (left == 0) break;
    if (spins < 20000) pauseBriefly();
    else p.remaining.wait(left, std::memory_order_acquire);
  }
  p.owner.unlock();
}

}  // namespace nimue

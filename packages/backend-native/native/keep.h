// Dropout without a mask: the hash of keep-mask.ts, for registers of rows or of columns.
#pragma once
#include "kernel-table.h"
#include "vec.h"

namespace {

INLINE uint32_t mix32(uint32_t h) {
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

INLINE VU mix32(VU h) {
  h = (h ^ (h >> 16)) * splatBits(0x7feb352du);
  h = (h ^ (h >> 15)) * splatBits(0x846ca68bu);
  return h ^ (h >> 16);
}

INLINE uint32_t rowHash(const nimue::Dropout& d, uint32_t row) { return mix32(d.seed ^ (row * 0x9e3779b1u)); }

/** Row hashes of rows first + stride · lane. */
INLINE VU rowHashes(const nimue::Dropout& d, uint32_t first, uint32_t stride) {
  const VU row = splatBits(first) + (VU)lanes() * splatBits(stride);
  return mix32(splatBits(d.seed) ^ (row * splatBits(0x9e3779b1u)));
}

/** All bits set where (row, column + lane) is kept. */
INLINE VI keptColumns(const nimue::Dropout& d, uint32_t hashOfRow, uint32_t column) {
  const VU columns = (splatBits(column) + (VU)lanes()) * splatBits(0x85ebca77u);
  return (VI)(mix32(splatBits(hashOfRow) ^ columns) >= splatBits(d.threshold));
}

/** All bits set where (lane's row, column) is kept. */
INLINE VI keptRows(const nimue::Dropout& d, VU hashesOfRows, uint32_t column) {
  return (VI)(mix32(hashesOfRows ^ splatBits(column * 0x85ebca77u)) >= splatBits(d.threshold));
}

/** v where kept, times scale; 0 where dropped. */
INLINE V dropped(const nimue::Dropout& d, V v, VI kept) { return asFloat(asInt(v * splat(d.scale)) & kept); }

}  // namespace

import type { Prefixes } from './prefixes.ts';

/** The graphs of N questions side by side: a node for every different item, an edge from each click to the next. */
export interface SessionGraphs {
  /** An event of each node, whose item vector it starts with [M]. */
  readonly nodeMembers: Int32Array;
  /** The node of every event of every question [P]. */
  readonly nodeOf: Int32Array;
  /** Edges, each once, however often it was walked. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 1 / number of edges that end, or start, at each node [M]; 0 without any. */
  readonly inverseInDegree: Float32Array;
  readonly inverseOutDegree: Float32Array;
}

export function sessionGraphsOf({ members, offsets }: Prefixes, itemIds: Int32Array): SessionGraphs {
  const nodeMembers: number[] = [];
  const nodeOf = new Int32Array(members.length);
  const from: number[] = [];
  const to: number[] = [];
  for (let n = 0; n + 1 < offsets.length; n++) {
    const nodes = new Map<number, number>();
    const edges = new Set<string>();
    for (let p = offsets[n]; p < offsets[n + 1]; p++) {
      const item = itemIds[members[p]];
      let node = nodes.get(item);
      if (node === undefined) {
        node = nodeMembers.length;
        nodes.set(item, node);
        nodeMembers.push(members[p]);
      }
      nodeOf[p] = node;
      if (p === offsets[n]) continue;
      const edge = `${nodeOf[p - 1]} ${node}`;
      if (edges.has(edge)) continue;
      edges.add(edge);
      from.push(nodeOf[p - 1]);
      to.push(node);
    }
  }
  const inverseDegree = (ends: number[]) => {
    const degree = new Float32Array(nodeMembers.length);
    for (const node of ends) degree[node]++;
    return degree.map((d) => (d === 0 ? 0 : 1 / d));
  };
  return {
    nodeMembers: Int32Array.from(nodeMembers),
    nodeOf,
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    inverseInDegree: inverseDegree(to),
    inverseOutDegree: inverseDegree(from),
  };
}

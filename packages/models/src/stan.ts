import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { createSequenceAndTimeModel, stanOptions } from './neighbors/sequence-and-time.ts';

export const stanSchema = z.strictObject(stanOptions);

/**
 * STAN: S-kNN with three decays, over the place of a click in the current session, over the age of the neighbor and over
 * the distance from the last shared item in it (Garg et al. 2019, "Sequence and Time Aware Neighborhood for
 * Session-based Recommendations", eq. 1–5). With w(i) = exp((p(i) − n)/λ₁) of the current session s of n clicks:
 * sim(s, n) = Σ_{i ∈ s ∩ n} w(i) / (‖w‖ √|n|) · exp(−Δt/λ₂) and score(i) = Σ_n sim(s, n) · exp(−|p_n(i) − p_n(i*)|/λ₃).
 * λ₁, λ₂, λ₃ are session-rec's `lambda_spw`, `lambda_snh` and `lambda_inh`.
 *
 * `afterWeight` a is ours: the term of an item clicked after i* is multiplied by 1 + a, since the distance in eq. 5 has no
 * sign: what comes next counts as much as what came before. 0 leaves it so. So is `fillSessions`: what stands behind the items
 * that neighbors vote for, in the originals every other item alike.
 *
 * Differs from session-rec: ties at the k-th neighbor go to the more recent session; recency of the sample is by the
 * start of a session, not by its last click (why: see `sknn`).
 */
export const stan = defineModel({
  kind: 'statistical',
  configSchema: stanSchema,
  create: (config, size) => createSequenceAndTimeModel('stan', { ...config, matchDecay: null, idfWeight: null }, size),
});

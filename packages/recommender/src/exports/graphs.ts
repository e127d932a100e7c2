// One line per model with weights; the names are those of `models` of `@nimue/models`.
export { albert } from './graphs/albert.ts';
export { bert } from './graphs/bert.ts';
export { bert4rec } from './graphs/bert4rec.ts';
export { electra } from './graphs/electra.ts';
export { esasrec } from './graphs/esasrec.ts';
export { gpt2 } from './graphs/gpt2.ts';
export { gru4rec } from './graphs/gru4rec.ts';
export { gsasrec } from './graphs/gsasrec.ts';
export { hstu } from './graphs/hstu.ts';
export { lrurec } from './graphs/lrurec.ts';
export { narm } from './graphs/narm.ts';
export { sasrec } from './graphs/sasrec.ts';
export { srgnn } from './graphs/srgnn.ts';
export { stamp } from './graphs/stamp.ts';
export { transformerXl } from './graphs/transformer-xl.ts';
export { xlnet } from './graphs/xlnet.ts';

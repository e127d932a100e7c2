// A process that serves cells and computes nothing: the text of the experiment says what it does.
process.on('disconnect', () => process.exit());
process.on('message', ({ type, request }) => {
  if (type === 'stop') return process.send({ type: 'error', message: 'saved and stopped', isInput: false });
  const [what, value] = request.experiment.split(' ');
  if (what === 'crash') return process.kill(process.pid, 'SIGSEGV');
  if (what === 'fail') return process.send({ type: 'error', message: 'a bad value', isInput: true });
  process.send({ type: 'progress', line: `working on ${value}` });
  setTimeout(() => process.send({ type: 'result', result: { run: value, models: [], memoryBytes: 1 } }), Number(value));
});

/** Entry of the engine process: the service behind the process's own channel. */
import { EngineService } from './service';
import { connect, processChannel } from './transport';

connect(processChannel(process), new EngineService());

// An engine whose host is gone has nobody to answer.
process.on('disconnect', () => process.exit(0));

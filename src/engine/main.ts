/** The engine behind the channel of its process. */
import type { SecurityReport } from './contract';
import { EngineService } from './service';
import { connect, processChannel } from './transport';

/** Serves the process that started this one. @param judged called after each verdict */
export function serve(judged: () => void): void {
  class Service extends EngineService {
    override async security(): Promise<SecurityReport> {
      const report = await super.security();
      judged();
      return report;
    }
  }
  connect(processChannel(process), new Service());

  // An engine whose host is gone has nobody to answer.
  process.on('disconnect', () => process.exit(0));
}

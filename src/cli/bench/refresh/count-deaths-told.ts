import { Client, Connection } from '@temporalio/client';

/** Runs that told a death of this credential, one for each epoch; counted in Temporal, whatever the logs say. */
export async function countDeathsTold(temporalAddress: string, credentialId: string): Promise<number> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const query = `WorkflowType = 'invalidate' AND CredentialId = '${credentialId}' AND Outcome = 'invalidated'`;
    return (await new Client({ connection }).workflow.count(query)).count;
  } finally {
    await connection.close();
  }
}

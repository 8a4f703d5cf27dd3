namespace Wunderproxy.Controller.Store;

/// <summary>A call to S3, as far as its failure must tell of it.</summary>
/// <param name="Verb">For people: what was tried.</param>
/// <param name="Bucket">The bucket.</param>
/// <param name="Key">Key or prefix.</param>
/// <param name="Changes">Whether it may have changed something although its answer is missing.</param>
internal sealed record S3Call(string Verb, string Bucket, string Key, bool Changes)
{
    public static S3Call Read(string bucket, string key) => new("Read", bucket, key, Changes: false);

    public static S3Call Write(string bucket, string key) => new("Write", bucket, key, Changes: true);

    public static S3Call Delete(string bucket, string key) => new("Delete", bucket, key, Changes: true);

    public static S3Call List(string bucket, string prefix) => new("List", bucket, prefix, Changes: false);
}
